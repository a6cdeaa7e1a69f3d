"""How units are built: Amaranth components, one per specification.

``build`` gives the component of a specification, ``inventory`` its operators.
"""

from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING

from multipede.golden.spec import Spec
from multipede.hw.style import Style

if TYPE_CHECKING:
    from multipede.hw.unit import Unit, UnitPlan

__all__ = ["Style", "build", "inventory", "planned"]


def build(spec: Spec, *, style: Style = Style.WORD) -> "Unit":
    """The component of ``spec``.

    It is the :class:`~multipede.hw.unit.Unit` for that type of specification in the module of the
    same name: ``golden/mixpe.py`` is built by ``hw/mixpe.py``. A plug-in may keep its
    specification and its hardware in any two modules and name the latter in
    ``Spec.hardware_module``.

    Raises
    ------
    TypeError
        If ``spec`` is no specification, or no hardware is known for it.
    """
    return _unit_class(spec)(spec, style=style)


def inventory(spec: Spec, *, style: Style = Style.WORD) -> Counter:
    """Operators of the unit by kind, in bits, without elaborating it.

    Kinds: ``full_adder``, ``half_adder``, ``half_adder_plus_one``, ``increment``,
    ``prefix_adder_bit``, ``word_adder_bit``, ``and`` (gated bits), ``booth_select_bit``,
    ``booth_digit``, ``inferred_product_bit`` (of products left to synthesis, the bits of one factor
    times those of the other) and ``register``; of circuits also ``or``, ``exclusive_or``,
    ``multiplexer_bit``, and ``any`` and ``all``, which are the OR and AND of a word (n - 1 for
    n bits).
    """
    return planned(spec, style=style).inventory()


def planned(spec: Spec, *, style: Style = Style.WORD) -> "UnitPlan":
    """How the unit is built, without any HDL object. TypeError as of :func:`build`."""
    return _unit_class(spec).planned(spec, style)


def _unit_class(spec: Spec) -> type["Unit"]:
    from multipede.hw.unit import Unit

    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    module = import_module(spec.hardware_module)
    for candidate in vars(module).values():
        is_unit = isinstance(candidate, type) and issubclass(candidate, Unit)
        if is_unit and getattr(candidate, "specification", None) is type(spec):
            return candidate
    raise TypeError(f"{module.__name__} holds no unit for {type(spec).__name__}")
