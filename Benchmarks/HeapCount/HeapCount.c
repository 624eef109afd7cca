// A heap counter that a program carries in itself.
//
// The C library lets a program bring its own malloc: when the executable defines these functions,
// the dynamic linker gives them to every library of the process, the Swift runtime too.
//
//     swift_allocObject ─► malloc (here) ─► __libc_malloc      counted while counting is on
//
// The work is done by the library's own functions under their other names, `__libc_malloc` and so
// on, which are there without a search at run time (dlsym itself allocates). A block counts as its
// usable size plus the 8 bytes of header that glibc keeps before it, which is the size of the chunk,
// so that the count can be held against mallinfo2(). mallinfo2 takes what lies in the thread's cache
// of small free blocks for allocated; a run that wants to compare the two exactly sets
// GLIBC_TUNABLES=glibc.malloc.tcache_count=0.
//
// Example: after heap_count_start(), malloc(100) makes heap_count_current() 112: 104 bytes are
// usable. While counting is off a call costs one load and one branch that is predicted.
//
// Source: "Replacing malloc" in the GNU C Library manual,
// https://sourceware.org/glibc/manual/latest/html_node/Replacing-malloc.html
//
// Left out: pages that a program maps itself, stacks, the code; fragmentation, which only the
// resident size shows. A build with a sanitizer has an allocator of its own and counts nothing.

#include "HeapCount.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static _Atomic bool is_counting;
static _Atomic int64_t current_bytes;
static _Atomic int64_t peak_bytes;
static _Atomic uint64_t allocation_count;

void heap_count_start(void) {
    atomic_store(&current_bytes, 0);
    atomic_store(&peak_bytes, 0);
    atomic_store(&allocation_count, 0);
    atomic_store(&is_counting, true);
}

void heap_count_stop(void) { atomic_store(&is_counting, false); }

int64_t heap_count_current(void) { return atomic_load(&current_bytes); }

int64_t heap_count_peak(void) { return atomic_load(&peak_bytes); }

uint64_t heap_count_allocations(void) { return atomic_load(&allocation_count); }

int64_t heap_count_mallinfo(void) {
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}

void heap_count_trim(void) { malloc_trim(0); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OTHER_ALLOCATOR 1
#endif
#endif

#ifndef HAS_OTHER_ALLOCATOR

// The C library exports these and declares them nowhere.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *__libc_valloc(size_t size);
extern void *__libc_pvalloc(size_t size);
extern void __libc_free(void *block);

static inline bool counts(void) {
    return atomic_load_explicit(&is_counting, memory_order_relaxed);
}

// The size of a block's chunk; 0 for no block.
static int64_t size_of(void *block) {
    return block ? (int64_t)malloc_usable_size(block) + (int64_t)sizeof(size_t) : 0;
}

static void add(int64_t bytes) {
    int64_t now = atomic_fetch_add_explicit(&current_bytes, bytes, memory_order_relaxed) + bytes;
    int64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
    while (now > peak &&
           !atomic_compare_exchange_weak_explicit(&peak_bytes, &peak, now, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

static void *counted(void *block) {
    if (counts() && block) {
        atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed);
        add(size_of(block));
    }
    return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }

void *memalign(size_t alignment, size_t size) {
    return counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
    return counted(__libc_memalign(alignment, size));
}

void *valloc(size_t size) { return counted(__libc_valloc(size)); }

void *pvalloc(size_t size) { return counted(__libc_pvalloc(size)); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *block = counted(__libc_memalign(alignment, size));
    if (!block) return ENOMEM;
    *result = block;
    return 0;
}

void free(void *block) {
    if (counts() && block) add(-size_of(block));
    __libc_free(block);
}

// While a block is moved, old and new are there at once, as the C library does it for all but the
// blocks that it can extend or remap in place; those are counted by their difference.
void *realloc(void *block, size_t size) {
    if (!counts()) return __libc_realloc(block, size);
    int64_t before = size_of(block);
    void *moved = __libc_realloc(block, size);
    if (!moved) {
        if (size == 0) add(-before);
        return moved;
    }
    atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed);
    int64_t after = size_of(moved);
    // A mapped block is remapped, not copied.
    bool was_copied = moved != block && before > 0 && before < (1 << 17);
    if (was_copied) {
        add(after);
        add(-before);
    } else {
        add(after - before);
    }
    return moved;
}

#endif
