// libsodium, seen from Swift. Only Sodium+C.swift in SennitWire and in SennitSeal import this module.
#include <sodium.h>
