// swift-tools-version: 6.2
import PackageDescription

// Every target is built in Swift 6 mode with strict memory safety, and every warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOWebSocket", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)

let package = Package(
    name: "sennit",
    products: [
        .library(name: "Sennit", targets: ["Sennit"]),
        .executable(name: "sennit", targets: ["SennitCLI"]),
        .executable(name: "sennit-relay", targets: ["SennitRelay"]),
        .executable(name: "sennit-demo", targets: ["SennitDemo"]),
        .executable(name: "sennit-bench", targets: ["SennitBench"]),
        .executable(name: "sennit-relay-load", targets: ["RelayLoad"]),
    ],
    traits: [
        .trait(
            name: "PostgreSQL",
            description: "The relay can store in PostgreSQL; needs libpq."
        )
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // The pure modules: no clock, no randomness, no file, no task, no Foundation.
        .systemLibrary(
            name: "CSodium",
            pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"])]
        ),
        .systemLibrary(
            name: "CZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"])]
        ),
        .target(name: "SennitWire", dependencies: ["CSodium"], swiftSettings: strict),
        .target(
            name: "SennitDocument",
            dependencies: ["SennitWire", "CZstd"],
            swiftSettings: strict
        ),
        .target(
            name: "SennitSeal",
            dependencies: ["SennitWire", "CSodium"],
            swiftSettings: strict
        ),
        .target(
            name: "SennitSync",
            dependencies: ["SennitDocument", "SennitSeal", "SennitWire"],
            swiftSettings: strict
        ),

        // The modules that do.
        .target(
            name: "SennitStore",
            dependencies: ["SennitSync", "SennitDocument", "SennitSeal", "SennitWire", grdb],
            swiftSettings: strict
        ),
        .target(
            name: "Sennit",
            dependencies: [
                "SennitStore", "SennitSync", "SennitDocument", "SennitSeal", "SennitWire",
            ] + nio,
            swiftSettings: strict
        ),
        .target(
            name: "SennitEditor",
            dependencies: ["Sennit", "SennitDocument", "SennitSeal"],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "SennitCLI",
            dependencies: [
                "Sennit", "SennitEditor", "SennitDocument", "SennitSeal", "SennitWire", arguments,
            ],
            swiftSettings: strict
        ),

        // The relay links neither keys nor CRDT: only what is on the wire, and storage.
        .target(name: "CChecksum", path: "relay/Sources/CChecksum"),
        .target(
            name: "RelayStorage",
            dependencies: ["SennitWire", "CChecksum", grdb],
            path: "relay/Sources/RelayStorage",
            swiftSettings: strict
        ),
        .target(
            name: "RelayCore",
            dependencies: [
                "RelayStorage", "SennitWire", .product(name: "Logging", package: "swift-log"),
            ] + nio,
            path: "relay/Sources/RelayCore",
            swiftSettings: strict
        ),
        // Empty without the trait, and then nothing of libpq is looked for.
        .systemLibrary(
            name: "CPostgres",
            path: "relay/Sources/CPostgres",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        .target(
            name: "RelayPostgres",
            dependencies: [
                "RelayStorage", "SennitWire",
                .target(name: "CPostgres", condition: .when(traits: ["PostgreSQL"])),
            ],
            path: "relay/Sources/RelayPostgres",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "SennitRelay",
            dependencies: [
                "RelayCore", "RelayStorage", "SennitWire", arguments,
                .target(name: "RelayPostgres", condition: .when(traits: ["PostgreSQL"])),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "relay/Sources/SennitRelay",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "StorageTorture",
            dependencies: ["RelayStorage", "SennitWire"],
            path: "relay/Tools/StorageTorture",
            swiftSettings: strict
        ),

        // The demo, the benchmarks, and the slow second implementation they check against.
        .target(
            name: "SennitReference",
            dependencies: ["SennitWire"],
            path: "Tests/SennitReference",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "SennitDemo",
            dependencies: [
                "Sennit", "SennitEditor", "SennitReference", "SennitDocument", "SennitWire",
                arguments,
            ] + nio,
            path: "demo/Sources",
            swiftSettings: strict
        ),
        .target(name: "CHeapCount", path: "Benchmarks/HeapCount"),
        .executableTarget(
            name: "SennitBench",
            dependencies: [
                "SennitDocument", "SennitReference", "SennitWire", "CHeapCount", arguments,
            ],
            path: "Benchmarks",
            exclude: ["HeapCount", "peers", "profile", "relay-load", "shapes.py"],
            swiftSettings: strict
        ),

        .systemLibrary(name: "CEpoll", path: "Benchmarks/relay-load/CEpoll"),
        .executableTarget(
            name: "RelayLoad",
            dependencies: ["SennitSeal", "SennitWire", "CEpoll", arguments],
            path: "Benchmarks/relay-load/Sources",
            swiftSettings: strict
        ),

        // A PostgreSQL that tests start for themselves.
        .target(name: "PostgresServer", path: "Tests/PostgresServer", swiftSettings: strict),

        // Tests, one target for each module.
        .testTarget(
            name: "SennitWireTests",
            dependencies: ["SennitWire"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitDocumentTests",
            dependencies: ["SennitDocument", "SennitReference", "SennitWire", "CHeapCount"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitSealTests",
            dependencies: ["SennitSeal", "SennitWire", "CSodium"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitSyncTests",
            dependencies: ["SennitSync", "SennitDocument", "SennitSeal", "SennitWire"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitStoreTests",
            dependencies: [
                "SennitStore", "SennitSync", "SennitDocument", "SennitSeal", "SennitWire", grdb,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitTests",
            dependencies: [
                "Sennit", "SennitStore", "SennitSync", "SennitDocument", "SennitSeal", "SennitWire",
                "RelayCore", "RelayStorage", grdb, .product(name: "Logging", package: "swift-log"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitEditorTests",
            dependencies: ["SennitEditor", "SennitDocument"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayTests",
            dependencies: [
                "RelayCore", "RelayStorage", "RelayPostgres", "SennitRelay", "SennitWire",
                "PostgresServer", "CSodium", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio,
            swiftSettings: strict
        ),
        .testTarget(
            name: "RelayStorageTests",
            dependencies: [
                "RelayStorage", "StorageTorture", "SennitWire", "CSodium", "CChecksum", grdb,
                "RelayPostgres", "PostgresServer",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "SennitSync", "SennitDocument", "SennitSeal", "SennitWire", "RelayCore",
                "RelayStorage", "SennitReference",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SennitReferenceTests",
            dependencies: ["SennitReference", "SennitWire"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: ["SennitCLI", "SennitRelay"],
            exclude: ["Scripts", "Codes"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DemoTests",
            dependencies: ["SennitDemo", "SennitReference", "SennitDocument", "SennitWire"],
            swiftSettings: strict
        ),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)
