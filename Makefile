# gst-kinesis. `make demo` shows it working, `make test` proves it. Both install what is missing.
.DEFAULT_GOAL := build
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

GO      ?= go
BUILD   := build
PREFIX  ?= /usr/local
PLUGINS  = $(shell pkg-config --variable=pluginsdir gstreamer-1.0)
export GOFLAGS += -buildvcs=false

DEMO_SECONDS ?= 20
CLIP         ?=
export DEMO_SECONDS

# Pure Go: these build and pass without cgo, under the race detector, and for every OS.
PURE := ./internal/... ./pipelines/...

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

.PHONY: deps deps-test
deps:
	@scripts/install-deps build
deps-test:
	@scripts/install-deps test

.PHONY: build
build: deps ## the plugin, the CLI and the test camera, into build/
	@mkdir -p $(BUILD)
	@$(GO) build -buildmode=c-shared -o $(BUILD)/libgstkinesis.so ./cmd/libgstkinesis
	@rm -f $(BUILD)/libgstkinesis.h
	@$(GO) build -o $(BUILD)/ ./cmd/gst-kinesis ./cmd/gst-kinesis-camera

.PHONY: demo
demo: build ## a camera's frames through a stream and back, for DEMO_SECONDS, without an AWS account (CLIP=my.mp4 plays that)
	@$(BUILD)/gst-kinesis demo $(if $(CLIP),--clip "$(CLIP)")

.PHONY: test
test: deps-test build ## all tests
	@scripts/test

.PHONY: test-sdk
test-sdk: deps-test ## the engine of AWS's C SDK against the embedded endpoint, where pkg-config finds that SDK
	@scripts/test-sdk

.PHONY: race
race: deps-test ## all that is pure Go, under the race detector
	$(GO) test -race $(PURE) ./tests/chaos

.PHONY: asan
asan: deps-test ## the C side under AddressSanitizer
	ASAN_OPTIONS=detect_leaks=0 $(GO) test -asan ./cgo/gst/...

.PHONY: bench
bench: deps-test build ## benchmarks, printed
	@scripts/bench

.PHONY: fuzz
fuzz: deps-test ## each fuzz target for FUZZTIME (60s)
	@scripts/fuzz

.PHONY: soak
soak: deps-test build ## the long forms of the tests
	GST_KINESIS_SOAK=1 $(GO) test -count=1 -timeout 120m ./...

.PHONY: lint
lint: deps-test ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

.PHONY: install
install: build ## into PREFIX (/usr/local) and GStreamer's plugin folder
	install -D -m 755 $(BUILD)/gst-kinesis $(DESTDIR)$(PREFIX)/bin/gst-kinesis
	install -D -m 755 $(BUILD)/gst-kinesis-camera $(DESTDIR)$(PREFIX)/bin/gst-kinesis-camera
	install -D -m 644 $(BUILD)/libgstkinesis.so $(DESTDIR)$(PLUGINS)/libgstkinesis.so

.PHONY: image
image: ## the container image, with docker, podman or buildah
	@docker/build

.PHONY: clean
clean: ## remove build/
	rm -rf $(BUILD)
