// CRC-32C. The instruction takes eight bytes in three cycles; the portable form looks eight bytes
// up in eight tables ("slicing by eight", Kounavis and Berry 2005). Swift reaches neither the
// instruction nor a check for it, which is why this file is C.

#include "CChecksum.h"
#include <string.h>

static uint32_t table[8][256];

__attribute__((constructor)) static void fill(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int slice = 1; slice < 8; slice++)
            table[slice][i] = table[0][table[slice - 1][i] & 255] ^ (table[slice - 1][i] >> 8);
}

uint32_t sennit_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    crc = ~crc;
    while (count >= 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                              (uint32_t)at[3] << 24);
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^
              table[4][low >> 24] ^ table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^
              table[0][at[7]];
        at += 8;
        count -= 8;
    }
    while (count--) crc = table[0][(crc ^ *at++) & 255] ^ (crc >> 8);
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const void *bytes,
                                                           size_t count) {
    const unsigned char *at = bytes;
    uint64_t wide = (uint32_t)~crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    while (count--) narrow = _mm_crc32_u8(narrow, *at++);
    return ~narrow;
}

uint32_t sennit_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? hardware(crc, bytes, count)
                                            : sennit_crc32c_portable(crc, bytes, count);
}
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

__attribute__((target("crc"))) static uint32_t hardware(uint32_t crc, const void *bytes,
                                                        size_t count) {
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __crc32cd(crc, word);
    }
    while (count--) crc = __crc32cb(crc, *at++);
    return ~crc;
}

uint32_t sennit_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return getauxval(AT_HWCAP) & HWCAP_CRC32 ? hardware(crc, bytes, count)
                                             : sennit_crc32c_portable(crc, bytes, count);
}
#else
uint32_t sennit_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return sennit_crc32c_portable(crc, bytes, count);
}
#endif
