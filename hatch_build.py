"""Part of `pip install`: compile the kernels where there is a compiler. Without one the package is pure Python."""

import runpy
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeKernels(BuildHookInterface):
    """Run the build script of the kernels; a wheel that holds them is for this kind of machine."""

    def initialize(self, version, build_data):
        script = Path(self.root, "chainrule", "backends", "native", "build.py")
        if runpy.run_path(str(script))["build"]():
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
