// libzstd, seen from Swift. Only Zstd+C.swift in SennitDocument imports this module.
#include <zstd.h>
