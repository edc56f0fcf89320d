"""The kernel as data."""

from __future__ import annotations

import pytest

from sysfsd.image.image import DEFAULT_RELEASE, KernelImage, releases


def test_there_is_an_image_of_the_default_release() -> None:
    assert DEFAULT_RELEASE in releases()


def test_an_unknown_release_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match=DEFAULT_RELEASE):
        KernelImage("9.9")


@pytest.mark.parametrize("release", ["..", ".", "", "../images"])
def test_a_release_is_no_path(release: str) -> None:
    with pytest.raises(LookupError):
        KernelImage(release)


def test_the_version_magic(image: KernelImage) -> None:
    assert image.vermagic == f"{DEFAULT_RELEASE} SMP preempt mod_unload modversions "


def test_an_exported_symbol(image: KernelImage) -> None:
    symbol = image.find_export("_printk")
    assert symbol is not None
    assert (symbol.name, symbol.gpl_only, symbol.namespace) == ("_printk", False, "")
    assert symbol.value >> 31 == (1 << 33) - 1
    assert symbol.crc is not None and 0 < symbol.crc < 1 << 32


def test_an_export_for_free_modules_only(image: KernelImage) -> None:
    symbol = image.find_export("kobject_create_and_add")
    assert symbol is not None and symbol.gpl_only


@pytest.mark.parametrize("name", ["", "no_such_symbol", "_text", " ", "_printk "])
def test_what_is_not_exported(image: KernelImage, name: str) -> None:
    assert image.find_export(name) is None


def test_some_exports_have_a_namespace(image: KernelImage) -> None:
    symbols = [image.find_export(name) for name in image._exports]
    assert any(symbol is not None and symbol.namespace for symbol in symbols)


def test_every_export_is_in_the_symbol_table(image: KernelImage) -> None:
    table = {line.split()[2]: int(line.split()[0], 16) for line in image.kallsyms().decode().splitlines()}
    for name in ("_printk", "param_ops_int", "module_layout", "__kmalloc"):
        symbol = image.find_export(name)
        assert symbol is not None and table[name] == symbol.value


def test_struct_module_is_as_large_as_this_kernels(image: KernelImage) -> None:
    assert image.structs["module"].size == 896
    assert image.structs["mod_kallsyms"].size == 32
    assert image.offset("module", "name") == 24
    assert image.offset("module", "mkobj.kobj.name") == image.offset("module", "mkobj")


def test_layouts_are_read_when_asked_for() -> None:
    image = KernelImage()
    assert not {"structs", "_constants"} & vars(image).keys()
    assert image.structs["list_head"].size == 16
    assert list(image.structs._known) == ["list_head"]


@pytest.mark.parametrize(
    ("name", "value"), [("IRQ_HANDLED", 1), ("HRTIMER_NORESTART", 0), ("KOBJ_REMOVE", 1), ("MODULE_STATE_GOING", 2)]
)
def test_enumerators_have_values(image: KernelImage, name: str, value: int) -> None:
    assert image.constant(name) == value


def test_an_enumerator_may_be_negative(image: KernelImage) -> None:
    assert image.constant("AT_PKT_END") == -1


@pytest.mark.parametrize("name", ["", "IRQ", "IRQ_HANDLED ", "no_such_constant"])
def test_what_is_no_enumerator(image: KernelImage, name: str) -> None:
    with pytest.raises(LookupError):
        image.constant(name)


def test_built_in_modules_have_parameters_and_versions(image: KernelImage) -> None:
    modules = image.builtin_modules
    assert modules["printk"].parameters["time"].value in ("Y", "N")
    assert all(parameter.mode & ~0o777 == 0 for module in modules.values() for parameter in module.parameters.values())


def test_the_configuration(image: KernelImage) -> None:
    assert image.config["CONFIG_MODULE_UNLOAD"] == "y"
    assert image.config["CONFIG_MODULE_SIG_HASH"] == "sha256"
    assert "CONFIG_MODULE_SIG_FORCE" not in image.config


def test_files_of_proc_as_they_were_after_boot(image: KernelImage) -> None:
    assert image.proc["sys/kernel/osrelease"].strip() == DEFAULT_RELEASE
    assert image.proc["version"].startswith(f"Linux version {DEFAULT_RELEASE} ")


def test_per_cpu_variables_of_the_kernel_have_an_end(image: KernelImage) -> None:
    assert image.percpu_end > 0
