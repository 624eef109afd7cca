# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
# One build configuration serves build, test, demo and benchmarks: release, with testability.

# Where libpq is installed, the relay is built with storage in PostgreSQL.
TRAITS = $(if $(shell pkg-config --exists libpq 2>/dev/null && echo yes),--traits PostgreSQL)
CONFIGURATION = -c release -Xswiftc -enable-testing --explicit-target-dependency-import-check error $(TRAITS)
BIN = .build/release
PYTHON ?= /usr/bin/python3
SOURCES = Package.swift Sources Tests relay/Sources demo/Sources Benchmarks Fuzz
SEED ?=
SECONDS ?= 600
TRACE ?= Tests/Traces/friendsforever.json.gz
WORK ?= merge

.PHONY: relay relay-binary install relay-pages all build setup setup-tests test independent demo demo-headless bench bench-peers bench-shapes bench-relay profile fuzz lint format soak soak-relay sanitize-thread sanitize-address clean

all: build

# Installs what is missing, and only that.
setup:
	@./setup

# What only tests need.
setup-tests: setup
	@./setup tests

build: setup
	swift build $(CONFIGURATION)

# One test after another: many start processes and time connections, and Foundation's Process has
# crashed when two were started at once.
test: setup-tests
	swift build $(CONFIGURATION) --build-tests
	swift test $(CONFIGURATION) --skip-build --no-parallel

# The second reader, in Python, written from SPEC.md alone: Tests/independent/README.md
independent: build setup-tests
	cd Tests/independent && $(PYTHON) -B -m unittest

# In a terminal: two editors side by side. Without one: the same, printing progress.
demo: build
	demo/run

demo-headless: build
	demo/run --headless

bench: build
	$(BIN)/sennit-bench all

# Beside the engines that are Python wheels, in one run: make bench-peers TRACES="a.json.gz b.json.gz"
bench-peers: build
	Benchmarks/peers/run $(TRACES)

# Traces of shapes that the recorded ones don't have, made up from a seed: make bench-shapes SEED=2
bench-shapes: build
	$(PYTHON) -B Benchmarks/shapes.py .build-shapes $(or $(SEED),1)
	$(BIN)/sennit-bench trace .build-shapes/*.json.gz

# A real relay over real sockets, beside the least that a disk and other servers take.
bench-relay: build
	Benchmarks/relay-load/run

# Instructions of one work on one trace by function (valgrind): make profile TRACE=… WORK=local
profile: build
	Benchmarks/profile $(TRACE) $(WORK)

# The relay as one binary that needs no Swift on the machine: .build-relay/release/sennit-relay.
relay: setup relay-binary

relay-binary:
	swift build -c release --product sennit-relay --static-swift-stdlib --scratch-path .build-relay
	relay/deploy/check-binary .build-relay/release/sennit-relay

# make install PREFIX=/usr DESTDIR=/tmp/package: what `make relay` built, as root where need be.
PREFIX ?= /usr/local
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/systemd/system
install:
	install -D -s -m 755 .build-relay/release/sennit-relay $(DESTDIR)$(PREFIX)/bin/sennit-relay
	install -d $(DESTDIR)/etc/sennit-relay
	test -e $(DESTDIR)/etc/sennit-relay/sennit-relay.toml || \
		install -m 644 relay/deploy/sennit-relay.toml $(DESTDIR)/etc/sennit-relay/sennit-relay.toml
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/local/bin|$(PREFIX)/bin|' relay/deploy/sennit-relay.service > $(DESTDIR)$(UNITDIR)/sennit-relay.service
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	.build-relay/release/sennit-relay config manual > $(DESTDIR)$(PREFIX)/share/man/man8/sennit-relay.8
	install -D -m 644 relay/deploy/nginx.conf $(DESTDIR)$(PREFIX)/share/doc/sennit-relay/nginx.conf
	install -m 644 relay/deploy/Caddyfile relay/README.md relay/SETTINGS.md $(DESTDIR)$(PREFIX)/share/doc/sennit-relay/

# The pages that the relay writes about its settings.
relay-pages: build
	$(BIN)/sennit-relay config markdown > relay/SETTINGS.md
	$(BIN)/sennit-relay config example > relay/deploy/sennit-relay.toml

lint: setup
	swift format lint --strict -r -p $(SOURCES)

format:
	swift format -i -r -p $(SOURCES)

# Long searches have a budget of their own: make soak SECONDS=3600. One seed again: make soak SEED=17
soak: setup
	swift build $(CONFIGURATION) --build-tests
	$(if $(SEED),SENNIT_SEED=$(SEED),SENNIT_SOAK_SECONDS=$(SECONDS)) swift test $(CONFIGURATION) --skip-build --filter soak

# What strangers, broken devices and kill -9 do to a relay: make soak-relay EACH=30 ROUNDS=500
EACH ?= 30
ROUNDS ?= 500
soak-relay: build setup-tests
	relay/Tools/soak --seconds $(EACH) --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

# Inputs that make a decoder trap: make fuzz TARGET=chunk SECONDS=600 (operations, chunk, head, frame)
TARGET ?= chunk
fuzz: setup
	Fuzz/run $(TARGET) $(SECONDS)

# Sanitizers rebuild everything in a folder of their own, unoptimised. Threads: where there are any.
sanitize-thread: setup
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.txt swift test --sanitize=thread \
		--scratch-path .build-thread --no-parallel --filter '^(SennitTests|RelayTests)\.'

sanitize-address: setup
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=address --scratch-path .build-address \
		--skip '^(SimulationTests|SennitReferenceTests|CommandTests)\.'

clean:
	rm -rf .build .build-thread .build-address .build-peers .build-shapes .build-fuzz .build-relay
