// The two functions of LZ4 that Verilator's FST writer calls, so that waveforms need no library
// on the machine. Writes the LZ4 block format: a token (lengths of the literals and the match),
// the literals, a 16-bit offset back to the match; the last five bytes are literals, and no match
// begins in the last twelve.
#ifndef MULTIPEDE_LZ4_H
#define MULTIPEDE_LZ4_H

#include <cstdint>
#include <cstring>
#include <vector>

static inline int LZ4_compressBound(int size) {
    return size < 0 ? 0 : size + size / 255 + 16;
}

namespace multipede_lz4 {

inline uint32_t read32(const unsigned char* at) {
    uint32_t value;
    std::memcpy(&value, at, 4);
    return value;
}

inline unsigned char* put_length(unsigned char* out, int length) {
    for (; length >= 255; length -= 255) *out++ = 255;
    *out++ = static_cast<unsigned char>(length);
    return out;
}

// One sequence: literals, then a match of `match` bytes (0 for none, at the end).
inline unsigned char* put_sequence(unsigned char* out, const unsigned char* literals, int count,
                                   int offset, int match) {
    unsigned char* const token = out++;
    const int extra = match ? match - 4 : 0;
    *token = static_cast<unsigned char>(((count < 15 ? count : 15) << 4)
                                        | (extra < 15 ? extra : 15));
    if (count >= 15) out = put_length(out, count - 15);
    if (count) std::memcpy(out, literals, count);
    out += count;
    if (!match) return out;
    *out++ = static_cast<unsigned char>(offset & 255);
    *out++ = static_cast<unsigned char>(offset >> 8);
    if (extra >= 15) out = put_length(out, extra - 15);
    return out;
}

}  // namespace multipede_lz4

// Greedy: the last place with the same four bytes, by a table of hashes.
static inline int LZ4_compress_default(const char* source, char* destination, int size,
                                       int capacity) {
    using namespace multipede_lz4;
    if (size < 0 || capacity < LZ4_compressBound(size)) return 0;
    const auto* const in = reinterpret_cast<const unsigned char*>(source);
    auto* const begin = reinterpret_cast<unsigned char*>(destination);
    unsigned char* out = begin;
    std::vector<int> places(1 << 14, -1);
    int anchor = 0;
    for (int at = 0; at < size - 12;) {
        int& place = places[(read32(in + at) * 2654435761U) >> 18];
        const int candidate = place;
        place = at;
        if (candidate < 0 || at - candidate > 65535 || read32(in + candidate) != read32(in + at)) {
            ++at;
            continue;
        }
        int match = 4;
        while (at + match < size - 5 && in[candidate + match] == in[at + match]) ++match;
        out = put_sequence(out, in + anchor, at - anchor, at - candidate, match);
        at += match;
        anchor = at;
    }
    out = put_sequence(out, in + anchor, size - anchor, 0, 0);
    return static_cast<int>(out - begin);
}

#endif
