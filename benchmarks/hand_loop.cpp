// What one would write by hand: records that are packed already go straight into the model's pins.
#include <chrono>
#include <cstdint>
#include <cstring>

#include "verilated.h"
#include MODEL_HEADER

extern "C" double hand_loop(const uint32_t* words, int64_t records, int64_t prepared,
                            int64_t* results) {
  VerilatedContext context;
  MODEL model{&context};
  model.rst = 1;
  for (int i = 0; i < 2; ++i) {
    model.clk = 0;
    model.eval();
    model.clk = 1;
    model.eval();
  }
  model.rst = 0;
  model.i_valid = 1;
  int64_t count = 0;
  uint32_t sum = 0;
  const auto began = std::chrono::steady_clock::now();
  for (int64_t record = 0; record < records; ++record) {
    std::memcpy(&model.i_payload[0], words + (record % prepared) * PAYLOAD_WORDS,
                PAYLOAD_WORDS * sizeof(uint32_t));
    model.clk = 0;
    model.eval();
    if (model.o_valid) {
      ++count;
      sum += model.o_payload[0];
    }
    model.clk = 1;
    model.eval();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  results[0] = count;
  results[1] = sum;  // read, so that the outputs are fetched
  return took.count();
}
