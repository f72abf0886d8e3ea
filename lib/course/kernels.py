"""The Python that runs the notebooks: this one, whatever kernels a machine has installed.

Jupyter takes the kernel called `python3` from the user's folders first, and there it may be another
Python, without the course's libraries. Neither the runner nor `make lab` shall depend on that.
"""

import ipaddress
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipykernel.kernelspec import RESOURCES
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from lesions.core.errors import LesionsError


class OwnKernelSpecs(KernelSpecManager):
    """Kernel specifications in which `python3` is the Python that asks."""

    def _find_spec_directory(self, kernel_name: str) -> str | None:
        if kernel_name == NATIVE_KERNEL_NAME:
            return RESOURCES  # for this folder Jupyter starts `sys.executable`
        return super()._find_spec_directory(kernel_name)

    def find_kernel_specs(self) -> dict[str, str]:
        return super().find_kernel_specs() | {NATIVE_KERNEL_NAME: RESOURCES}


class OwnKernel(AsyncKernelManager):
    """A kernel of this Python."""

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return OwnKernelSpecs(parent=self)


@contextmanager
def own_folders() -> Iterator[None]:
    """Let kernels keep their connection files and IPython's own in a folder made for this run.

    A home that cannot be written then does no harm, and neither does what a user's IPython runs at
    its start.
    """
    names = ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="lesions-", ignore_cleanup_errors=True) as folder:
        os.environ |= {name: str(Path(folder) / name.lower()) for name in names}
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def use_writable_places(folder: Path) -> None:
    """Let Jupyter keep its own files in `folder` if the home cannot be written."""
    from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir

    try:
        for place in (jupyter_config_dir(), jupyter_data_dir(), jupyter_runtime_dir()):
            Path(place).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                pass
    except OSError:
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
                 "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")  # fmt: skip
        for name in names:
            place = folder / name.lower().removesuffix("_dir")
            place.mkdir(parents=True, exist_ok=True)
            os.environ[name] = str(place)


def listening(address: str) -> list[str]:
    """JupyterLab's options to listen at an address of this machine.

    Beyond the machine's own address there is no browser to open: that is a container's case.

    Raises:
        LesionsError: no address in numbers. A name could stand for one that nobody meant.
    """
    try:
        own = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise LesionsError(
            f"LISTEN={address} is no address: give numbers, such as LISTEN=0.0.0.0 in a container."
        ) from None
    return [f"--ip={address}"] if own else [f"--ip={address}", "--no-browser"]
