import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class Deltarule(ConanFile):
    """What deltarule needs comes from the system (scripts/install-deps.sh), not from Conan."""

    name = "deltarule"
    description = "A small reverse-mode autodiff framework on xtensor arrays"
    license = "BSD-3-Clause"
    package_type = "library"
    settings = "os", "compiler", "build_type", "arch"
    options = {name: [True, False] for name in ("shared", "native", "blas", "nn", "derivation", "lab")}
    default_options = {"shared": False, "native": False, "blas": True, "nn": True, "derivation": True, "lab": True}

    def set_version(self):
        lists = load(self, os.path.join(self.recipe_folder, "..", "..", "CMakeLists.txt"))
        self.version = re.search(r"project\(deltarule VERSION ([0-9.]+)", lists).group(1)

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, "..", "..")
        for pattern in "CMakeLists.txt", "LICENSE", "cmake/*", "autograd/*", "nn/*", "derivation/*", "lab/*":
            copy(self, pattern, src=tree, dst=self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for option in "native", "blas", "nn", "derivation":
            toolchain.cache_variables[f"DELTARULE_{option.upper()}"] = bool(self.options.get_safe(option))
        with_lab = self.options.nn and self.options.derivation and self.options.lab
        toolchain.cache_variables["DELTARULE_LAB"] = bool(with_lab)
        toolchain.cache_variables["DELTARULE_APP"] = False
        toolchain.cache_variables["DELTARULE_TESTS"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # deltarule's own package for CMake serves.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "deltarule")]
