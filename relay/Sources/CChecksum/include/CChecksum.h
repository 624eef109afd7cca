// CRC-32C (Castagnoli), with the processor's instruction where there is one.
//
// Both functions continue a checksum: pass 0 first, then what the last call returned. The values
// are those of RFC 3720 appendix B.4: 32 zero bytes give 0x8A9136AA.
#ifndef SENNIT_CHECKSUM_H
#define SENNIT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t sennit_crc32c(uint32_t crc, const void *bytes, size_t count);

// The same without the instruction, for processors that lack it and for the test.
uint32_t sennit_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
