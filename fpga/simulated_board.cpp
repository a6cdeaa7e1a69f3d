// A shell's two serial lines as bytes, clock by clock. DIVISOR: clocks of a bit.
#include "Vboard.h"
#include "verilated.h"

#include <cstdint>
#include <memory>

namespace {

struct Board {
  VerilatedContext context;
  std::unique_ptr<Vboard> model;
  // What is being sent to the board: bits yet to come, lowest first, and clocks of the present one.
  uint32_t sending = 0;
  int sending_bits = 0, sending_clocks = 0;
  // What comes from it: bits so far (-1 while the line is idle), and clocks to the next sample.
  uint32_t receiving = 0;
  int receiving_bits = -1, receiving_clocks = 0;

  Board() : model(new Vboard(&context)) {
    model->rx = 1;
    model->rst = 1;
    clock();
    clock();
    model->rst = 0;
  }

  void clock() {
    model->clk = 0;
    model->eval();
    model->clk = 1;
    model->eval();
  }

  // Drives rx for a clock; whether another byte can be begun.
  bool send() {
    if (sending_clocks > 0) --sending_clocks;
    if (sending_clocks == 0 && sending_bits > 0) {
      model->rx = sending & 1;
      sending >>= 1;
      --sending_bits;
      sending_clocks = DIVISOR;
    }
    return sending_clocks == 0 && sending_bits == 0;
  }

  // Watches tx for a clock; a byte, or -1.
  int receive() {
    if (receiving_bits < 0) {
      if (!model->tx) {
        receiving_bits = 0;
        receiving = 0;
        receiving_clocks = DIVISOR + DIVISOR / 2 - 1;
      }
      return -1;
    }
    if (receiving_clocks-- > 0) return -1;
    receiving_clocks = DIVISOR - 1;
    if (receiving_bits == 8) {
      receiving_bits = -1;
      return model->tx ? static_cast<int>(receiving) : -1;
    }
    receiving |= static_cast<uint32_t>(model->tx) << receiving_bits++;
    return -1;
  }
};

}  // namespace

extern "C" {

void* board_create() { return new Board; }

void board_destroy(void* handle) { delete static_cast<Board*>(handle); }

// Sends `count` bytes and goes on until nothing has happened for `quiet` clocks, `clocks` at most.
// Gives how many bytes came back; those beyond `capacity` are lost.
int64_t board_run(void* handle, const uint8_t* bytes, int64_t count, uint8_t* answer,
                  int64_t capacity, int64_t quiet, int64_t clocks) {
  Board& board = *static_cast<Board*>(handle);
  int64_t sent = 0, received = 0, idle = 0;
  for (int64_t clock = 0; clock < clocks && idle < quiet; ++clock) {
    const bool free = board.send();
    if (free && sent < count) {
      // Start bit, eight bits, stop bit.
      board.sending = (static_cast<uint32_t>(bytes[sent++]) << 1) | 0x200;
      board.sending_bits = 10;
    }
    board.clock();
    const int byte = board.receive();
    if (byte >= 0 && received < capacity) answer[received++] = static_cast<uint8_t>(byte);
    const bool busy = !free || sent < count || board.receiving_bits >= 0 || board.model->busy;
    idle = busy ? 0 : idle + 1;
  }
  return received;
}

}  // extern "C"
