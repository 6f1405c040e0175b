# Earnest. Two commands are enough: `make run` and `make test`; both install what
# is missing and say what. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The sources may be a tarball, so nothing is asked of git.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

# Fyne compiles in a third of the time with these, and looks the same.
ifeq ($(shell uname -s),Linux)
  export WINDOW_TAGS := gles x11
else
  export WINDOW_TAGS :=
endif

PROGRAMS := earnest earnest-escrow

.PHONY: help run test soak build lint fmt generate bench bench-escrow pictures check-go deps-run deps-test clean

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: deps-run build ## install what is missing, build, and play the story (the sandbox touches nothing of yours)
	@bin/earnest demo

test: deps-test ## install what is missing, build, lint, and run all tests
	@scripts/test

soak: deps-test ## run the long tests, for hours, with a seed that is printed and can be given back
	@scripts/soak

build: check-go ## build all programs into bin/
	@echo "Building $(addprefix bin/,$(PROGRAMS)) bin/earnest-desktop"
	@for program in $(PROGRAMS); do CGO_ENABLED=0 go build -o bin/$$program ./cmd/$$program; done
	@CGO_ENABLED=1 go build -tags "$(WINDOW_TAGS)" -o bin/earnest-desktop ./cmd/earnest-desktop

lint: check-go ## vet, staticcheck, gofmt, house rules, other systems, generated files
	@scripts/lint

fmt: check-go ## format all Go files
	@gofmt -l -w .

generate: check-go ## write generated files anew
	@go generate ./...

bench: check-go ## print what things cost, as ratios measured side by side
	@scripts/install-deps build window test
	@scripts/bench

bench-escrow: check-go ## the same for the escrow's books alone, beside pgbench and plain SQLite; BONDS=100000 of them expire
	@scripts/install-deps build test
	@BONDS="$(BONDS)" scripts/bench escrow

pictures: deps-test build ## take the pictures of the manual from the real window in a sandbox
	@go run ./test/pictures

clean: ## remove what was built
	@rm -rf bin dist

check-go:
	@scripts/check-go

deps-run: check-go
	@scripts/install-deps build window

deps-test: check-go
	@scripts/install-deps build window test
