"""A whole implicit neural representation: layers one behind the other."""

from collections import Counter
from functools import cached_property

from amaranth.hdl import Module, Mux, Signal, Value

from multipede.golden.inr_network import InrNetwork
from multipede.hw.hierarchy import shared
from multipede.hw.inr_layer import InrLayer, InrLayerPlan
from multipede.hw.multiplexer import equals
from multipede.hw.stream import BypassQueue
from multipede.hw.unit import Unit, UnitPlan

__all__ = ["InrNetworkPlan", "InrNetworkUnit"]


class InrNetworkPlan(UnitPlan):
    """The layers' plans, and a count of vectors under way."""

    spec: InrNetwork

    @cached_property
    def layers(self) -> tuple[InrLayerPlan, ...]:
        """How the layers are built."""
        return tuple(InrLayerPlan(layer, self.style) for layer in self.spec.layers)

    @property
    def most_under_way(self) -> int:
        """Bound of the vectors in all layers: held, in the pipeline or the queue, and collected."""
        return sum(2 + -(-plan.depth // plan.layer.blocks) for plan in self.layers)

    def inventory(self) -> Counter:
        total = sum((plan.inventory() for plan in self.layers), Counter())
        place, most = (self.most_under_way - 1).bit_length(), self.most_under_way
        return total + Counter(register=most.bit_length() * 2 + 2 * place, memory_bit=most)


class InrNetworkUnit(Unit):
    """Any :class:`~multipede.golden.inr_network.InrNetwork`."""

    specification = InrNetwork
    planning = InrNetworkPlan

    def elaborate(self, platform) -> Module:
        m = Module()
        plan: InrNetworkPlan = self.plan
        payload = self.i.payload
        under_way = Signal(range(plan.most_under_way + 1), name="under_way")
        empty, accepted = Signal(name="empty"), Signal(name="accepted")
        given, ready = Signal(name="given"), Signal(name="layers_ready")
        m.d.comb += [
            empty.eq(~under_way.any()),
            self.i.ready.eq(Mux(payload.load, empty, ready)),
            accepted.eq(self.i.valid & ~payload.load & ready),
            given.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += under_way.eq(under_way + accepted - given)
        # As many places as there are vectors, so that it always has one.
        m.submodules.lasts = lasts = BypassQueue(1, depth=plan.most_under_way)
        m.d.comb += [
            lasts.i.payload.eq(payload.last),
            lasts.i.valid.eq(accepted),
            lasts.o.ready.eq(given),
            self.o.payload.last.eq(lasts.o.payload),
        ]
        valid: Value = self.i.valid & ~payload.load
        values: Value = Value.cast(payload.coordinates)
        for number, layer in enumerate(plan.layers):
            last = number == len(plan.layers) - 1
            component = InrLayer(layer)
            result = Signal(len(component.o.payload), name=f"values_{number}")
            result_valid = Signal(name=f"values_{number}_valid")
            next_ready = self.o.ready if last else Signal(name=f"layer_{number + 1}_ready")
            here = self.i.valid & empty & payload.load & equals(payload.layer, number)
            shared(
                m,
                platform,
                "layer",
                component,
                instance=f"layer_{number}",
                i_valid=valid,
                i_payload=values,
                i_ready=ready,
                o_valid=result_valid,
                o_payload=result,
                o_ready=next_ready,
                write=here & self._inside(layer),
                row=payload.row,
                column=payload.column,
                data=payload.data.as_unsigned()[: layer.layer.bias.bits],
            )
            valid, values, ready = result_valid, result, next_ready
        m.d.comb += [self.o.valid.eq(valid), Value.cast(self.o.payload.colours).eq(values)]
        return m

    def _inside(self, layer: InrLayerPlan) -> Value:
        """Whether a record's place is in the layer; its numbers may be wider than the layer's."""
        payload, shape = self.i.payload, layer.layer
        return (payload.row < shape.results) & (payload.column <= shape.inputs)
