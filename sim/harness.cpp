// Drives one Verilated unit with whole arrays. Compiled with the generated fields.h, which defines
// MODEL, the payload widths and the lists of fields; see harness.py.
#include "fields.h"
#include "verilated.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#if VM_COVERAGE
#include "verilated_cov.h"
#endif

#if TRACE_AVAILABLE != VM_TRACE
#error "fields.h and the compiler's options disagree about tracing"
#endif

namespace {

using Words = uint32_t;

// Records that are not compared, and payloads that are not valid, must not count as coverage.
constexpr bool noise = !VM_COVERAGE;

// No record: below all numbers of records, those of earlier runs included. NO_RECORD in model.py.
constexpr int64_t none = INT64_MIN;

// One element of BITS bits at bit OFFSET; both are known to the compiler.
template <int BITS>
inline void put(Words* words, int offset, uint64_t value) {
  const uint64_t mask = BITS >= 64 ? ~0ull : (1ull << (BITS & 63)) - 1;
  value &= mask;
  const int word = offset >> 5, shift = offset & 31;
  words[word] |= static_cast<Words>(value << shift);
  if (shift + BITS > 32) words[word + 1] |= static_cast<Words>((value >> 1) >> (31 - shift));
  if (shift + BITS > 64) words[word + 2] |= static_cast<Words>((value >> 1) >> (63 - shift));
}

template <int BITS, bool SIGNED>
inline int64_t get(const Words* words, int offset) {
  const int word = offset >> 5, shift = offset & 31;
  uint64_t value = words[word] >> shift;
  if (shift + BITS > 32) value |= (static_cast<uint64_t>(words[word + 1]) << 1) << (31 - shift);
  if (shift + BITS > 64) value |= (static_cast<uint64_t>(words[word + 2]) << 1) << (63 - shift);
  if (BITS < 64) {
    value <<= 64 - BITS;
    return SIGNED ? static_cast<int64_t>(value) >> (64 - BITS)
                  : static_cast<int64_t>(value >> (64 - BITS));
  }
  return static_cast<int64_t>(value);
}

// A port of COUNT elements. Formats above 63 bits come as limbs of 32 bits, the last one shorter.
template <int OFFSET, int BITS, int COUNT, bool SIGNED, int LIMBS>
struct Field {
  static constexpr int per_record = COUNT * (LIMBS ? LIMBS : 1);
  static constexpr int last_limb = BITS - 32 * (LIMBS - 1);

  template <typename T>
  static void pack(const void* from, int64_t record, Words* words) {
    const T* values = static_cast<const T*>(from) + record * per_record;
    for (int i = 0; i < COUNT; ++i) {
      if constexpr (LIMBS == 0) {
        put<BITS>(words, OFFSET + i * BITS, static_cast<uint64_t>(static_cast<int64_t>(values[i])));
      } else {
        for (int limb = 0; limb < LIMBS - 1; ++limb)
          put<32>(words, OFFSET + i * BITS + 32 * limb, values[i * LIMBS + limb]);
        put<last_limb>(words, OFFSET + i * BITS + 32 * (LIMBS - 1), values[i * LIMBS + LIMBS - 1]);
      }
    }
  }

  static void unpack(const Words* words, int64_t* to, int64_t record) {
    int64_t* values = to + record * per_record;
    for (int i = 0; i < COUNT; ++i) {
      if constexpr (LIMBS == 0) {
        values[i] = get<BITS, SIGNED>(words, OFFSET + i * BITS);
      } else {
        for (int limb = 0; limb < LIMBS - 1; ++limb)
          values[i * LIMBS + limb] = get<32, false>(words, OFFSET + i * BITS + 32 * limb);
        values[i * LIMBS + LIMBS - 1] =
            get<last_limb, false>(words, OFFSET + i * BITS + 32 * (LIMBS - 1));
      }
    }
  }
};

using Pack = void (*)(const void*, int64_t, Words*);

// Element types as numpy numbers them here: see ELEMENT_TYPES in model.py.
template <typename F>
Pack packer(int type) {
  switch (type) {
    case 0: return &F::template pack<int8_t>;
    case 1: return &F::template pack<uint8_t>;
    case 2: return &F::template pack<int16_t>;
    case 3: return &F::template pack<uint16_t>;
    case 4: return &F::template pack<int32_t>;
    case 5: return &F::template pack<uint32_t>;
    case 6: return &F::template pack<int64_t>;
    default: return &F::template pack<uint64_t>;
  }
}

template <typename... F>
struct Fields {
  static constexpr int count = sizeof...(F);
  static void packers(const int* types, Pack* to) {
    int i = 0;
    ((to[i] = packer<F>(types[i]), ++i), ...);
  }
  static void unpack(const Words* words, int64_t* const* to, int64_t record) {
    int i = 0;
    (F::unpack(words, to[i++], record), ...);
  }
};

using Inputs = Fields<INPUT_FIELDS>;
using Outputs = Fields<OUTPUT_FIELDS>;

template <typename T>
inline void assign(T& pins, const Words* words) {
  if constexpr (std::is_integral_v<T>) {
    uint64_t value = words[0];
    if constexpr (sizeof(T) > 4) value |= static_cast<uint64_t>(words[1]) << 32;
    pins = static_cast<T>(value);
  } else {
    std::memcpy(&pins[0], words, sizeof(T));
  }
}

template <typename T>
inline void fetch(const T& pins, Words* words) {
  if constexpr (std::is_integral_v<T>) {
    words[0] = static_cast<Words>(pins);
    if constexpr (sizeof(T) > 4) words[1] = static_cast<Words>(static_cast<uint64_t>(pins) >> 32);
  } else {
    std::memcpy(words, &pins[0], sizeof(T));
  }
}

struct Random {
  uint64_t state;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull;
  }
  bool chance(uint32_t of_2_32) { return (next() >> 32) < of_2_32; }
};

struct Simulation {
  VerilatedContext context;
  MODEL model{&context};
#if VM_TRACE
  std::unique_ptr<VerilatedFstC> trace;
#endif
  int64_t cycles = 0;
  std::vector<int64_t> taken;  // of the last few clocks: which record since reset each took, or none
  int64_t records = 0;         // taken since reset
  Words in[INPUT_WORDS + 2] = {}, out[OUTPUT_WORDS + 2] = {};

  void dump() {
#if VM_TRACE
    if (trace) trace->dump(context.time());
#endif
  }
  // Two evaluations a clock: inputs settle while clk is low, registers take them as it rises.
  void settle() {
#if HAS_CLOCK
    model.clk = 0;
#endif
#if HOLDS_INPUTS
    model.change = !model.change;
#endif
    model.eval();
#if VM_TRACE
    context.timeInc(1);
    dump();
#endif
  }
  void rise() {
#if HAS_CLOCK
    model.clk = 1;
    model.eval();
#endif
#if VM_TRACE
    context.timeInc(1);
    dump();
#endif
    ++cycles;
  }
  bool accepts() {
#if HAS_INPUT_READY
    return model.i_ready;
#else
    return true;
#endif
  }
  void take(bool ready) {
#if HAS_OUTPUT_READY
    model.o_ready = ready;
#endif
  }
};

}  // namespace

extern "C" {

struct Run {
  const void* const* inputs;  // one array for each input port
  const int* types;
  int64_t records;
  int64_t* const* outputs;  // one int64 array for each output port
  int64_t* behind;          // for each result, the record since reset taken `latency` clocks before
  int64_t capacity;         // records that the outputs hold
  uint32_t gap, stall;      // probabilities in units of 2^-32
  uint64_t seed;
  int64_t drain;     // clocks to go on after the last record
  int64_t patience;  // clocks that a record may wait before the unit counts as hung
  int64_t latency;   // clocks between each record and its result; -1 where they vary
  int64_t consumed, produced;
  int64_t busy;      // clocks up to the last record taken or result given
};

void* simulation_create() { return new Simulation; }
void simulation_destroy(void* handle) {
  auto* s = static_cast<Simulation*>(handle);
#if VM_TRACE
  if (s->trace) s->trace->close();
#endif
  s->model.final();
  delete s;
}
int64_t simulation_cycles(void* handle) { return static_cast<Simulation*>(handle)->cycles; }

// Valid noise for `before` clocks, then rst for `clocks` more with i_valid as told: nothing of the
// noise may come out behind it. Three of four bits are 0, so that groups last for some records.
// How many results were offered behind the first clock of rst, which must empty the unit.
int simulation_reset(void* handle, uint64_t seed, int before, int clocks, int valid) {
  auto& s = *static_cast<Simulation*>(handle);
  int offered = 0;
  s.take(true);
  s.taken.clear();
  s.records = 0;
#if HAS_CLOCK
  Random random{seed * 0x9e3779b97f4a7c15ull | 1};
  for (int i = 0; i < 4; ++i) random.next();
  bool taken = true;  // a valid record stays until it is accepted
  if (!noise) before = valid = 0;
  for (int i = 0; i < before + clocks; ++i) {
    if (taken && noise) {
      for (auto& word : s.in) word = static_cast<Words>((random.next() & random.next()) >> 32);
      s.in[INPUT_WORDS - 1] &= INPUT_TOP_MASK;
      assign(s.model.i_payload, s.in);
    }
    s.model.i_valid = i < before || valid;
    s.model.rst = i >= before;
    s.settle();
    taken = s.accepts();
    offered += i > before && s.model.o_valid;
    s.rise();
  }
  s.model.rst = 0;
#else
  (void)seed; (void)before; (void)clocks; (void)valid;
#endif
  s.model.i_valid = 0;
  return offered;
}

int simulation_trace(void* handle, const char* path) {
#if VM_TRACE
  auto& s = *static_cast<Simulation*>(handle);
  s.context.traceEverOn(true);
  s.trace = std::make_unique<VerilatedFstC>();
  s.model.trace(s.trace.get(), 99);
  s.trace->open(path);
  return s.trace->isOpen() ? 0 : 1;
#else
  (void)handle; (void)path;
  return 1;
#endif
}

// What was counted since the model was made, instance by instance.
int simulation_coverage(void* handle, const char* path) {
#if VM_COVERAGE
  auto* counters = static_cast<Simulation*>(handle)->context.coveragep();
  counters->forcePerInstance(true);
  counters->write(path);
  return 0;
#else
  (void)handle; (void)path;
  return 1;
#endif
}

// Which of the mutants that the model holds is in force; 0 is the unit as it is.
int simulation_mutant(void* handle, uint32_t number) {
#if HAS_MUTANTS
  static_cast<Simulation*>(handle)->model.mutant = number;
  return 0;
#else
  (void)handle; (void)number;
  return 1;
#endif
}

// Whether what the unit offers keeps the rules of streams while it may be stalled: a result that was
// not taken is still there, and none waits for ready. `offered` is what was not taken before.
bool keeps_rules(Simulation& s, bool ready, bool* waiting, Words* offered) {
  s.take(false);
  s.settle();
  const bool valid = s.model.o_valid;
  Words first[OUTPUT_WORDS + 2] = {};
  fetch(s.model.o_payload, first);
  if (*waiting && !(valid && std::memcmp(first, offered, sizeof first) == 0)) return false;
  s.take(true);
  s.settle();
  fetch(s.model.o_payload, s.out);
  if (static_cast<bool>(s.model.o_valid) != valid) return false;
  if (valid && std::memcmp(first, s.out, sizeof first) != 0) return false;
  *waiting = valid && !ready;
  std::memcpy(offered, first, sizeof first);
  return true;
}

// 0: all records went in; 1: more results than capacity; 2: a record waited longer than patience;
// 3: the results break a rule of streams.
int simulation_run(void* handle, Run* run) {
  auto& s = *static_cast<Simulation*>(handle);
  Pack pack[Inputs::count];
  Inputs::packers(run->types, pack);
  Random random{run->seed * 0x9e3779b97f4a7c15ull | 1};
  for (int i = 0; i < 4; ++i) random.next();
  int64_t waited = 0, idle = 0;
  run->consumed = run->produced = run->busy = 0;
  const int64_t start = s.cycles;
  bool pending = false;  // a valid record stays until it is accepted
  bool waiting = false;
  Words offered[OUTPUT_WORDS + 2] = {};
  const size_t span = run->latency < 0 ? 0 : run->latency + 1;
  if (s.taken.size() != span) s.taken.assign(span, none);
  while (run->consumed < run->records || idle < run->drain) {
    const bool more = run->consumed < run->records;
    if (more && !pending && (run->gap == 0 || !random.chance(run->gap))) {
      std::memset(s.in, 0, sizeof s.in);
      for (int i = 0; i < Inputs::count; ++i) pack[i](run->inputs[i], run->consumed, s.in);
      assign(s.model.i_payload, s.in);
      pending = true;
    } else if (noise && !pending && run->gap != 0) {
      // Nothing may depend on the payload while valid is low.
      for (int i = 0; i < INPUT_WORDS; ++i) s.in[i] = static_cast<Words>(random.next() >> 32);
      s.in[INPUT_WORDS - 1] &= INPUT_TOP_MASK;
      assign(s.model.i_payload, s.in);
    }
    s.model.i_valid = pending;
    const bool ready = run->stall == 0 || !random.chance(run->stall);
    if (run->stall != 0 && !keeps_rules(s, ready, &waiting, offered)) return 3;
    s.take(ready);
    s.settle();
    const bool accepted = pending && s.accepts();
    if (span) s.taken[s.cycles % span] = accepted ? s.records : none;
    s.records += accepted;
    if (s.model.o_valid && (ready || !HAS_OUTPUT_READY)) {
      if (run->produced == run->capacity) return 1;
      fetch(s.model.o_payload, s.out);
      if (span) run->behind[run->produced] = s.taken[(s.cycles + 1) % span];
      Outputs::unpack(s.out, run->outputs, run->produced++);
      run->busy = s.cycles + 1 - start;
    }
    s.rise();
    waited = accepted || !pending ? 0 : waited + 1;
    if (waited > run->patience) return 2;
    if (accepted) {
      pending = false;
      ++run->consumed;
      run->busy = s.cycles - start;
    }
    idle = run->consumed < run->records || accepted ? 0 : idle + 1;
  }
  return 0;
}

}  // extern "C"
