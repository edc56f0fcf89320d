"""PWM outputs, of a machine that has none."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sysfsd.linux.err import err
from sysfsd.linux.exports import Area

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("drivers/pwm/core.c")

#: ``MAX_PWMS``: numbers that outputs could have.
_MAX_PWMS: Final = 1024

_EPROBE_DEFER: Final = 517


@export("struct pwm_device *pwm_request(int pwm, const char *label)")
def pwm_request(kernel: Kernel, pwm: int, label: bytes | None) -> int:
    """An output that could come later is waited for."""
    raise err(_EPROBE_DEFER if 0 <= pwm < _MAX_PWMS else errno.EINVAL)


@export("struct pwm_device *pwm_get(struct device *dev, const char *con_id)")
@export("struct pwm_device *devm_pwm_get(struct device *dev, const char *con_id)")
def pwm_get(kernel: Kernel, dev: StructView, con_id: bytes | None) -> int:
    """Nobody has said which output belongs to which device."""
    raise err(errno.ENODEV)


@export("void pwm_free(struct pwm_device *pwm)")
@export("void pwm_put(struct pwm_device *pwm)")
def pwm_free(kernel: Kernel, pwm: StructView) -> None:
    """There can be none but NULL."""
