"""Signatures behind a module: kernel/module/signing.c, kernel/module_signature.c."""

from __future__ import annotations

import errno

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.kernel.module.signing import MODULE_SIG_STRING, module_sig_check
from sysfsd.linux.kernel.panic import Taint
from sysfsd.linux.system import Kernel
from tests.linux.ko import Ko, module_path
from tests.linux.state import log

UNSIGNED = ["versions", "signed-stripped", "signed-mark-cut", "versions-mark", "signed-type", "signed-mark-only"]


def contents(name: str) -> bytes:
    return module_path(name).read_bytes()


def test_a_signature_is_taken_off(kernel: Kernel) -> None:
    assert module_sig_check(kernel, contents("signed"), False) == (contents("signed-stripped"), True)
    assert log(kernel) == []


def test_a_signed_module_taints_nothing(kernel: Kernel) -> None:
    kernel.init_module(contents("signed"))
    (mod,) = kernel.modules
    assert (mod.taints, kernel.tainted, log(kernel)) == (0, 0, [])


@pytest.mark.parametrize("name", UNSIGNED)
def test_an_unsigned_module_is_loaded_and_taints(kernel: Kernel, name: str) -> None:
    kernel.init_module(contents(name))
    (mod,) = kernel.modules
    assert mod.tainted(Taint.UNSIGNED_MODULE)
    assert kernel.test_taint(Taint.UNSIGNED_MODULE)


def test_the_first_unsigned_module_is_logged(kernel: Kernel) -> None:
    message = "versions: module verification failed: signature and/or required key missing - tainting kernel"
    kernel.init_module(contents("versions"))
    kernel.delete_module("versions")
    kernel.init_module(contents("versions"))
    assert log(kernel).count(message) == 1


@pytest.mark.parametrize(
    "name", ["signed-algo", "signed-hash", "signed-signer", "signed-key", "signed-pad", "signed-long", "signed-short"]
)
def test_a_malformed_trailer_is_a_bad_message(kernel: Kernel, name: str) -> None:
    with pytest.raises(OSError) as caught:
        kernel.init_module(contents(name))
    assert caught.value.errno == errno.EBADMSG


@pytest.mark.parametrize("name", ["signed-empty", "signed-garbage"])
def test_a_signature_that_is_none_is_a_bad_message(kernel: Kernel, name: str) -> None:
    with pytest.raises(OSError) as caught:
        kernel.init_module(contents(name))
    assert caught.value.errno == errno.EBADMSG


@pytest.mark.parametrize("name", ["signed-algo", "signed-hash", "signed-signer", "signed-key", "signed-pad"])
def test_unused_fields_that_are_used_are_logged(kernel: Kernel, name: str) -> None:
    with pytest.raises(OSError):
        kernel.init_module(contents(name))
    assert log(kernel) == ["module: PKCS#7 signature info has unexpected non-zero params"]


def test_a_type_other_than_pkcs7_is_logged(kernel: Kernel) -> None:
    kernel.init_module(contents("signed-type"))
    assert log(kernel)[0] == "module: not signed with expected PKCS#7 message"


@pytest.mark.parametrize("length", [1, 11, 12])
def test_a_marker_behind_too_little_is_a_bad_message(kernel: Kernel, length: int) -> None:
    with pytest.raises(OSError) as caught:
        module_sig_check(kernel, b"\0" * length + MODULE_SIG_STRING, False)
    assert caught.value.errno == errno.EBADMSG


def test_a_marker_alone_is_no_marker(kernel: Kernel) -> None:
    assert module_sig_check(kernel, MODULE_SIG_STRING, False) == (MODULE_SIG_STRING, False)


def test_an_image_whose_versions_are_ignored_is_not_the_one_that_was_signed(kernel: Kernel) -> None:
    assert module_sig_check(kernel, contents("signed"), True) == (contents("signed"), False)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("versions", "unsigned module"), ("signed-type", "module with unsupported crypto")],
)
def test_where_signatures_are_enforced_others_are_rejected(image: KernelImage, name: str, reason: str) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_SIG_FORCE": "y"})
    with pytest.raises(OSError) as caught:
        kernel.init_module(contents(name))
    assert caught.value.errno == errno.EKEYREJECTED
    assert log(kernel)[-1] == f"Loading of {reason} is rejected"
    kernel.init_module(contents("signed"))


def test_without_signatures_in_the_kernel_nothing_is_verified(image: KernelImage) -> None:
    kernel = Kernel(image, config={"CONFIG_MODULE_SIG": None})
    kernel.init_module(bytes(Ko("versions")))
    assert not kernel.test_taint(Taint.UNSIGNED_MODULE)
    assert not any("verification failed" in line for line in log(kernel))
