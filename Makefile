# Tocsin. Two commands for a newcomer: `make demo` and `make test`.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X tocsin/internal/app.Version=$(VERSION)
BUILD := $(GO) build -ldflags '$(LDFLAGS)'

# Nothing needs C but the base of traces and the race detector; one setting for build and tests means
# that each package is compiled once.
export CGO_ENABLED = 0
# Without the paths of this folder in them, packages that the version before has
# too are compiled once for both (test/crash builds it). The tables of a debugger
# would be thrown away at the link, and cost a fifth of every compilation.
# With the two tags the standard library is the same with C and without.
export GOFLAGS = -trimpath -gcflags=all=-dwarf=false -tags=netgo,osusergo

# The base of traces is C++. Where there is no compiler for it the program is
# built without: it says so, and alerts as well.
CXX_WORKS := $(shell echo 'int main(){return 0;}' | $${CXX:-c++} -x c++ - -o /dev/null 2>/dev/null && echo 1 || echo 0)

# Packages whose goroutines meet: tested under the race detector, and only there; the
# one that waits longest for its peers first.
RACE := ./internal/channels/voice ./internal/dispatch ./internal/channels/sms ./internal/live/... ./internal/jobs/... ./internal/wire/smpp ./internal/wire/rtp ./internal/lab

# Packages that take minutes: begun first, so that nothing waits for them at the end.
LONG := ./test/stories ./test/crash ./internal/bench

# How long each target is fuzzed.
FUZZTIME ?= 30s

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | column -t -s $$'\t'

bin/tocsin: FORCE
	@CGO_ENABLED=$(CXX_WORKS) $(BUILD) -o bin/tocsin ./cmd/tocsin
FORCE:

.PHONY: build
build: bin/tocsin ## build bin/tocsin

.PHONY: demo
demo: bin/tocsin ## an invented hospital, a simulated telephone network, a real mobilisation
	@./bin/tocsin demo

.PHONY: run
run: bin/tocsin ## start empty, for real use (data in ./data)
	@./bin/tocsin serve

# Where there is memory, compilers and tests spend less of their time collecting it.
PLENTY := $(shell awk '/^MemAvailable/ && $$2 > 12000000 { print 400 }' /proc/meminfo)

.PHONY: test
test: export GOGC := $(or $(GOGC),$(PLENTY),100)
test: ## install what the tests need and pass them all
	@$(MAKE) --no-print-directory -j 2 test-deps bin/tocsin
	$(MAKE) --no-print-directory test-go
	$(MAKE) --no-print-directory -j 3 test-race test-fuzz test-traces
	$(MAKE) --no-print-directory test-browser

.PHONY: test-deps
test-deps: ## install PostgreSQL, the peers and the browser of the tests
	@bash test/deps.sh

.PHONY: test-go
test-go: bin/tocsin
	@GO='$(GO)' bash test/go-test.sh $(LONG) $$(comm -23 <($(GO) list ./... | sort) <($(GO) list $(RACE) $(LONG) | sort))

# The base of traces is C++, and the tests of nothing else link it.
# The server of Debian takes half a minute to install and its tests another: by
# hand, and wherever there is time. Without the server these tests say so and pass.
.PHONY: test-clickhouse
test-clickhouse: ## install the ClickHouse and the ZooKeeper of Debian and pass the tests of the base of traces on a server and on a cluster
	command -v clickhouse-server >/dev/null || apt-get install -y --no-install-recommends clickhouse-server
	test -e /usr/share/java/zookeeper.jar || apt-get install -y --no-install-recommends zookeeper
	@GO='$(GO)' TOCSIN_TEST_CLUSTER=1 bash test/go-test.sh -v ./internal/traces/clickhouse

.PHONY: test-traces
test-traces:
	@CGO_ENABLED=1 GO='$(GO)' bash test/go-test.sh ./internal/traces/duckdb

.PHONY: test-race
test-race:
	@CGO_ENABLED=1 GO='$(GO)' bash test/go-test.sh -race $(RACE)

# What is fuzzed waits for nobody: it takes what the detector of races leaves of the
# processor while its packages wait for their peers.
.PHONY: test-fuzz
test-fuzz:
	@GO='$(GO)' nice -n 19 bash test/fuzz.sh $(FUZZTIME)

.PHONY: test-browser
test-browser: bin/tocsin ## the style guide, the road from first start to report, and every page of the demonstration, in a browser
	@node test/browser/run.mjs

.PHONY: test-matrix
test-matrix: ## build a Matrix homeserver and try the chat channel against it
	@bash test/dendrite.sh
	$(GO) test -count=1 -run Dendrite -v ./internal/channels/chat

.PHONY: test-upgrade
test-upgrade: bin/tocsin ## the version before beside this one and before it (part of make test once there is a release)
	@TOCSIN_TEST_UPGRADE=1 GO='$(GO)' bash test/go-test.sh -run TheVersionBefore ./test/crash

.PHONY: test-both
test-both: bin/tocsin ## every story on both engines (make test tells those on both in which the data are at stake)
	@TOCSIN_TEST_BOTH=1 GO='$(GO)' bash test/go-test.sh ./test/stories

.PHONY: test-bench
test-bench: bin/tocsin ## every measurement of tocsin bench on a few people, those on several nodes included
	@TOCSIN_TEST_BENCH=1 GO='$(GO)' bash test/go-test.sh -run StillRuns\|StillMeasured ./internal/bench

.PHONY: test-db
test-db: ## a PostgreSQL for running single tests by hand, until interrupted
	@$(GO) run ./test/postgres -serve .cache/test-postgres.url

.PHONY: check
check: ## what a reviewer runs
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt wants:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) tool -modfile=tools/go.mod gofumpt -l $$(git ls-files '*.go' | grep -v _templ.go) | tee /dev/stderr | (! grep -q .)
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	$(MAKE) --no-print-directory generated
	cp go.mod go.sum .cache/ 2>/dev/null || { mkdir -p .cache; cp go.mod go.sum .cache/; }
	$(GO) mod tidy
	diff -u .cache/go.mod go.mod && diff -u .cache/go.sum go.sum
	bash test/migrations-untouched.sh
	$(GO) test ./internal/archtest/... ./internal/i18n/...

.PHONY: generated
generated: ## fail when a generated file is stale
	@$(GO) tool templ generate -path internal >/dev/null 2>&1
	$(GO) run ./internal/ui/build -check
	git diff --exit-code --stat -- '*_templ.go' internal/ui/dist

.PHONY: generate
generate: ## pages and bundles
	@$(GO) tool templ generate -path internal
	$(GO) run ./internal/ui/build

.PHONY: release
release: ## reproducible programs for linux and windows, checksums, SBOM, licences (dist/)
	@bash deploy/release.sh '$(VERSION)' "$(LDFLAGS)"
