// The two functions of zlib that Verilator's FST writer calls, so that waveforms need no library
// on the machine. Writes the zlib format with stored blocks: valid for every reader, and the
// writer keeps its own bytes instead where these are not fewer.
#ifndef MULTIPEDE_ZLIB_H
#define MULTIPEDE_ZLIB_H

#include <cstdint>
#include <cstring>

typedef unsigned char Bytef;
typedef unsigned long uLong;
typedef unsigned long uLongf;

#define Z_OK 0
#define Z_BUF_ERROR (-5)

static inline uLong compressBound(uLong size) {
    return size + 5 * (size / 65535 + 1) + 6;
}

static inline int compress2(Bytef* destination, uLongf* destination_size, const Bytef* source,
                            uLong size, int /*level*/) {
    if (*destination_size < compressBound(size)) return Z_BUF_ERROR;
    Bytef* out = destination;
    *out++ = 0x78;
    *out++ = 0x01;
    uLong done = 0;
    do {
        const uLong count = size - done < 65535 ? size - done : 65535;
        *out++ = done + count == size;
        *out++ = static_cast<Bytef>(count & 255);
        *out++ = static_cast<Bytef>(count >> 8);
        *out++ = static_cast<Bytef>(~count & 255);
        *out++ = static_cast<Bytef>((~count >> 8) & 255);
        if (count) std::memcpy(out, source + done, count);
        out += count;
        done += count;
    } while (done < size);
    uint32_t low = 1;
    uint32_t high = 0;
    for (uLong index = 0; index < size; ++index) {
        low = (low + source[index]) % 65521;
        high = (high + low) % 65521;
    }
    *out++ = static_cast<Bytef>(high >> 8);
    *out++ = static_cast<Bytef>(high & 255);
    *out++ = static_cast<Bytef>(low >> 8);
    *out++ = static_cast<Bytef>(low & 255);
    *destination_size = static_cast<uLongf>(out - destination);
    return Z_OK;
}

#endif
