"""Compile what kernels call as parts of these kernels, which takes less time and room.

numba optimises each function and makes machine code of it, although what kernels call becomes a part of them,
is optimised again there, and is never called from Python. A part stops before that: it is a module of LLVM
that is linked into each kernel which calls it.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import parse_assembly
from numba.core import codegen, compiler
from numba.core.registry import cpu_target

NEWEST = (0, 68)
"""The newest numba whose inner workings are known to be as this module takes them; with a later one, kernels
and what they call are compiled as numba does it."""

_Library: Any = codegen.JITCodeLibrary  # type checkers do not see numba
_Compiler: Any = compiler.Compiler


def call_part(kernel: Any, part: Any) -> Any:
    """Return `kernel`, in whose place other kernels take `part`, the same function compiled with `PART`."""
    kernel.get_call_template, kernel.get_overload = part.get_call_template, part.get_overload
    if hasattr(part._cache, "_impl"):
        part._cache._impl.rebuild = _load_part
    return kernel


def _load_part(context: Any, content: Any) -> Any:
    """Return what numba kept on disk, as a part too.

    numba would make machine code of it, which changes the module: kernels that it is linked into would no
    longer have vector instructions.
    """
    codegen = context.codegen()
    codegen._library_class = _Part  # numba's lock is held meanwhile
    try:
        return compiler.CompileResult._rebuild(context, *content)
    finally:
        del codegen._library_class


class _PartCompiler(_Compiler):
    """numba's compiler, which lowers a function into a library that is a part."""

    def define_pipelines(self) -> Any:
        self.state.library = _Part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()


class _Part(_Library):
    """A module with what it calls, neither optimised nor made machine code."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True
        self._define_environments()

    def _define_environments(self) -> None:
        """Make room for the pointers to Python's objects: numba sets them before any kernel is there."""
        engine, module = self._codegen._engine, self._codegen._create_empty_module(self.name)
        for variable in self._final_module.global_variables:
            if variable.name.startswith("_ZN08NumbaEnv") and not engine.is_symbol_defined(variable.name):
                cpu_target.target_context.declare_env_global(module, variable.name)
        engine.add_module(parse_assembly(str(module)))
        engine.finalize_object()

    def get_pointer_to_function(self, name: str) -> int:
        """Return numba's sign for no machine code."""
        self._ensure_finalized()
        return 0

    def serialize_using_object_code(self) -> Any:
        """Return what numba keeps on disk."""
        return self.serialize_using_bitcode()


PART = {"no_cpython_wrapper": True, "pipeline_class": _PartCompiler}
"""What tells `numba.njit` to compile a function as a part of others."""
