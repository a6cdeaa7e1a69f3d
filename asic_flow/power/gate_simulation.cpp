// Event-driven simulation of a flat netlist of gates and registers with one clock. A gate is a truth
// table of up to six nets; a register's state and its inverse are nets, too. See gate_simulation.py.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

constexpr int most = 6;  // variables of a table: MOST_INPUTS in cell_behaviour.py

struct Event {
  int64_t time;
  uint64_t order;  // of events at one time the earlier made comes first
  int32_t gate;
  uint32_t serial;
  bool operator<(const Event& other) const {
    return time != other.time ? time > other.time : order > other.order;
  }
};

struct Change {
  int64_t time;
  int32_t net, value;
};

}  // namespace

extern "C" {

struct Netlist {
  int32_t nets, gates, registers, inputs, outputs, levels;
  const uint64_t* tables;    // of each gate
  const int32_t* targets;    // net that each gate drives
  const int32_t* level;      // of each gate, then of each register: above that of all it depends on
  const uint64_t* next;      // tables of each register's next state, its clear and its preset
  const uint64_t* clear;
  const uint64_t* preset;
  const int32_t* states;     // two nets of each register
  const uint8_t* both;       // their values while clear and preset hold
  const uint8_t* forcing;    // places of each register that clear and preset depend on, as a mask
  const int32_t* readers;    // most * node + place: of gates, then of registers, net by net
  const int64_t* first;      // of each net's readers; one more at the end
  const int32_t* input_nets;
  const int32_t* output_nets;
  const int64_t* delays;     // fs, [gate][place][input's new value][output's new value]; or null
  const uint8_t* start;      // value of each net; only inputs, states and constants count
};

}  // extern "C"

namespace {

struct Simulation {
  Netlist net;
  std::vector<uint8_t> values, places, queued, pending;
  std::vector<uint32_t> serial;
  std::vector<int64_t> toggles, high, since;
  std::vector<std::vector<int32_t>> waiting;  // zero delay: nodes by level
  std::vector<Event> heap;
  std::vector<Change> changes;
  std::vector<int32_t> taken;  // registers that change at a clock edge
  bool tracing = false;
  uint64_t made = 0;
  int64_t now = 0, alive = 0, unsettled = 0;

  bool timed() const { return net.delays != nullptr; }

  explicit Simulation(const Netlist& from)
      : net(from),
        values(from.nets),
        places(from.gates + from.registers),
        queued(from.gates + from.registers),
        pending(from.gates),
        serial(from.gates),
        toggles(from.nets),
        high(from.nets),
        since(from.nets),
        waiting(from.levels) {
    // From zeros: the start values come as changes, and everything is settled without delays.
    const int64_t* delays = net.delays;
    net.delays = nullptr;
    for (int32_t node = 0; node < net.gates; ++node) enqueue(node);
    for (int32_t n = 0; n < net.registers; ++n)
      if (net.clear[n] | net.preset[n]) enqueue(net.gates + n);
    for (int32_t n = 0; n < net.nets; ++n)
      if (net.start[n]) change(n);
    settle();
    net.delays = delays;
    count_anew();
  }

  void count_anew() {
    std::fill(toggles.begin(), toggles.end(), 0);
    std::fill(high.begin(), high.end(), 0);
    std::fill(since.begin(), since.end(), now);
    unsettled = 0;
  }

  void bring_up_to_now() {
    for (int32_t n = 0; n < net.nets; ++n) {
      if (values[n]) high[n] += now - since[n];
      since[n] = now;
    }
  }

  bool forces(int32_t n, int32_t place) const { return net.forcing[n] >> place & 1; }

  void enqueue(int32_t node) {
    if (queued[node]) return;
    queued[node] = 1;
    waiting[net.level[node]].push_back(node);
  }

  void change(int32_t n) {
    const int value = values[n] ^= 1;
    ++toggles[n];
    if (!value) high[n] += now - since[n];
    since[n] = now;
    if (tracing) changes.push_back({now, n, value});
    for (int64_t i = net.first[n]; i < net.first[n + 1]; ++i) {
      const int32_t node = net.readers[i] / most, place = net.readers[i] % most;
      places[node] ^= 1 << place;
      if (node < net.gates)
        timed() ? evaluate(node, place, value) : enqueue(node);
      else if (forces(node - net.gates, place))
        timed() ? static_cast<void>(force(node - net.gates)) : enqueue(node);
    }
  }

  // With delays: a change that is still to come is given up if the inputs no longer ask for it.
  void evaluate(int32_t gate, int32_t place, int edge) {
    const int value = net.tables[gate] >> places[gate] & 1;
    if (pending[gate]) {
      if (value != values[net.targets[gate]]) return;
      pending[gate] = 0;
      ++serial[gate];
      --alive;
    } else if (value != values[net.targets[gate]]) {
      const int64_t arc = static_cast<int64_t>(gate) * most + place;
      const int64_t delay = net.delays[4 * arc + 2 * edge + value];
      pending[gate] = 1;
      ++alive;
      heap.push_back({now + delay, made++, gate, serial[gate]});
      std::push_heap(heap.begin(), heap.end());
    }
  }

  void set_state(int32_t n, int state, int inverse) {
    if (values[net.states[2 * n]] != state) change(net.states[2 * n]);
    if (values[net.states[2 * n + 1]] != inverse) change(net.states[2 * n + 1]);
  }

  // Whether clear or preset hold the register.
  bool force(int32_t n) {
    const int place = places[net.gates + n];
    const bool clear = net.clear[n] >> place & 1, preset = net.preset[n] >> place & 1;
    if (clear && preset)
      set_state(n, net.both[2 * n], net.both[2 * n + 1]);
    else if (clear || preset)
      set_state(n, preset, clear);
    return clear || preset;
  }

  // Without delays: nodes by level, so that each is looked at once.
  void settle() {
    for (auto& nodes : waiting) {
      for (size_t i = 0; i < nodes.size(); ++i) {
        const int32_t node = nodes[i];
        queued[node] = 0;
        if (node >= net.gates)
          force(node - net.gates);
        else if ((net.tables[node] >> places[node] & 1) != values[net.targets[node]])
          change(net.targets[node]);
      }
      nodes.clear();
    }
  }

  // With delays: everything before a time.
  void until(int64_t time) {
    while (!heap.empty() && heap.front().time < time) {
      const Event event = heap.front();
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
      if (event.serial != serial[event.gate] || !pending[event.gate]) continue;
      now = event.time;
      pending[event.gate] = 0;
      ++serial[event.gate];
      --alive;
      change(net.targets[event.gate]);
    }
    now = time;
  }

  void clock_edge() {
    taken.clear();
    for (int32_t n = 0; n < net.registers; ++n) {
      const int place = places[net.gates + n];
      if ((net.clear[n] | net.preset[n]) >> place & 1) continue;
      const int state = net.next[n] >> place & 1;
      // Only a state that was forced may not be the opposite of its inverse.
      if (values[net.states[2 * n]] != state || values[net.states[2 * n + 1]] == state)
        taken.push_back(2 * n + state);
    }
    for (int32_t one : taken) set_state(one / 2, one & 1, !(one & 1));
  }

  void drive(const uint8_t* inputs) {
    for (int32_t i = 0; i < net.inputs; ++i)
      if (values[net.input_nets[i]] != inputs[i]) change(net.input_nets[i]);
  }

  void clock(const uint8_t* inputs, uint8_t* outputs, int64_t period, int64_t input_delay) {
    const int64_t begin = now;
    clock_edge();
    if (timed()) {
      until(begin + input_delay);
      drive(inputs);
      until(begin + period);
      unsettled += alive > 0;
    } else {
      drive(inputs);
      settle();
      now = begin + period;
    }
    for (int32_t i = 0; i < net.outputs; ++i) outputs[i] = values[net.output_nets[i]];
  }
};

}  // namespace

extern "C" {

void* gates_create(const Netlist* netlist) { return new Simulation(*netlist); }
void gates_destroy(void* handle) { delete static_cast<Simulation*>(handle); }

// Returns how many clocks ended, since counting began, while changes were still to come.
int64_t gates_run(void* handle, const uint8_t* inputs, uint8_t* outputs, int64_t clocks,
                  int64_t period, int64_t input_delay) {
  auto& s = *static_cast<Simulation*>(handle);
  for (int64_t i = 0; i < clocks; ++i)
    s.clock(inputs + i * s.net.inputs, outputs + i * s.net.outputs, period, input_delay);
  return s.unsettled;
}

void gates_count_anew(void* handle) { static_cast<Simulation*>(handle)->count_anew(); }

void gates_counts(void* handle, int64_t* toggles, int64_t* high) {
  auto& s = *static_cast<Simulation*>(handle);
  s.bring_up_to_now();
  std::copy(s.toggles.begin(), s.toggles.end(), toggles);
  std::copy(s.high.begin(), s.high.end(), high);
}

int64_t gates_now(void* handle) { return static_cast<Simulation*>(handle)->now; }

void gates_values(void* handle, uint8_t* values) {
  auto& s = *static_cast<Simulation*>(handle);
  std::copy(s.values.begin(), s.values.end(), values);
}

void gates_trace(void* handle, int on) {
  auto& s = *static_cast<Simulation*>(handle);
  s.tracing = on;
  s.changes.clear();
}

int64_t gates_change_count(void* handle) {
  return static_cast<Simulation*>(handle)->changes.size();
}

void gates_changes(void* handle, int64_t* times, int32_t* nets, int32_t* values) {
  for (const Change& one : static_cast<Simulation*>(handle)->changes) {
    *times++ = one.time;
    *nets++ = one.net;
    *values++ = one.value;
  }
}

}  // extern "C"
