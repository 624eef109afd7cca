#ifndef SENNIT_HEAP_COUNT_H
#define SENNIT_HEAP_COUNT_H

#include <stdint.h>

// Counts what a program has on its heap. See HeapCount.c.

/// Sets all counts to zero and counts from now on. What was allocated before does not count, so it
/// has to stay allocated until `heap_count_stop`, or the count falls below what is there.
void heap_count_start(void);

/// Counts no more. The counts stay.
void heap_count_stop(void);

/// Bytes allocated and not freed since `heap_count_start`, with the allocator's header of each block.
int64_t heap_count_current(void);

/// The most that `heap_count_current` has been.
int64_t heap_count_peak(void);

/// How many blocks were allocated or reallocated since `heap_count_start`.
uint64_t heap_count_allocations(void);

/// What the allocator itself says is in use: `uordblks + hblkhd` of mallinfo2().
int64_t heap_count_mallinfo(void);

/// Gives free pages back to the system, so that the resident size can be told from here on.
void heap_count_trim(void);

#endif
