# Short names for what CONTRIBUTING.md explains. `.ci/run` does not need them.

# Format and lints
check:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Every test, on a real API server
test:
    tests/run

# Benchmarks, of which docs/performance.md shows the results
bench:
    cargo bench --locked -p bench

# Every fuzz target for some seconds
fuzz seconds="60":
    fuzz/run {{seconds}}

# The site of the documents in target/book, and the documentation of the crates in target/doc
docs:
    mdbook build
    cargo doc --locked --workspace --no-deps --document-private-items

# The custom resource definitions in schemas/, from their types
crds:
    UPDATE=1 cargo test --locked -p repo schemas
