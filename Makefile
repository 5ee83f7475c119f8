.DEFAULT_GOAL := help
.PHONY: help build image release demo deps docs test lint unit e2e faults incidents corpus soak bench page

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

build: ## build ./logstream
	CGO_ENABLED=0 go build -trimpath -o logstream .

image: ## build the image logstream with this machine's Docker; make image ARCH=arm64: for another machine's
	./scripts/image.sh $(ARCH)

release: ## build the programs for Linux, macOS and Windows, with checksums and SBOMs, in build/release
	./scripts/release.sh

demo: ## run the demo: two real services, nothing to install
	go run . run --demo

deps: ## install the real parts that the tests run on (Debian, Ubuntu)
	./scripts/deps.sh

docs: ## write the documents under docs/ that are made of the code again
	go test -count=1 -run Document ./healer/runbook ./healer/gate ./healer/action ./internal/config ./internal/docker/rights ./internal/docs -update

test: lint page unit e2e ## every scenario and guarantee once, on the real parts

# The model checker and the analysers spend a quarter of their time on collecting
# garbage, and no machine that builds this lacks memory.
lint unit: export GOGC := 400

lint: ## gofmt, go vet and staticcheck, with and without the e2e tests
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt wants the files above"; exit 1; }
	go vet ./... && go vet -tags e2e ./...
	go tool staticcheck ./... && go tool staticcheck -tags e2e ./...

unit: ## the tests that need Go alone, with the race detector, and without it what does less under it
	go test -race -p $$(( $$(nproc 2>/dev/null || echo 2) * 3 / 2 )) -timeout 30m ./...
	go test -timeout 30m $$(grep -rl --include='*_test.go' --exclude-dir=e2e logstream/internal/raced . | xargs -n1 dirname | sort -u)

# Two engines, a broker and a browser share the processors here. A test that fails is run
# once more, unless more than three fail; build/again.txt names it. No fault of the suite
# is, where one harmful repair is too many, and make soak runs nothing a second time.
e2e: ## the scenarios on two Docker engines, Apache Kafka and Chromium; LOGSTREAM_ENGINE=current or packaged: on one
	go test -race -tags e2e -count=1 -v ./e2e/engine
	mkdir -p build && export LOGSTREAM_E2E_CALLS=$$(mktemp -d) && \
		go tool gotestsum --format standard-quiet --rerun-fails=1 --rerun-fails-run-root-test --rerun-fails-max-failures=3 --rerun-fails-report=build/again.txt \
			--packages "$$(go list -tags e2e ./e2e/... ./internal/docker/... ./packaging | grep -vE '/(engine|entrypoint|sockproxy|spine|rights|faults)$$')" -- -tags e2e -count=1 -p 1 -parallel 4 -timeout 40m && \
		go test -tags e2e -count=1 -timeout 40m ./e2e/faults && \
		go test -tags e2e -count=1 -v -run TestUnusedCallsAreReported ./internal/docker/rights && rm -r "$$LOGSTREAM_E2E_CALLS"
	go test -race -tags e2e -count=1 -run OnApacheKafka ./bus

faults: ## the fault suite: every fault of a list, from injection to verdict, in build/faults.md and .json; make faults WITH=-peers: the peers' policies as well
	go test -tags e2e -count=1 -timeout 90m -v ./e2e/faults -run 'Faults|Measure|Scenarios' -args -all $(WITH) -report $(CURDIR)/build/faults

page: ## the page's own tests, and its vendored files against their lock
	node --test static/test/
	node static/vendor/check.mjs

picture: ## record the pictures of the README again: the demo in Chromium, and the page of its incident
	go run -tags e2e ./scripts/picture docs/repair.gif docs/incident.png

corpus: ## record the scenarios again for healer/replay, where decisions changed on purpose
	dir=$$(mktemp -d) && LOGSTREAM_RECORDINGS=$$dir go test -tags e2e -count=1 -p 1 -timeout 60m ./e2e && \
	go test ./healer/replay -count=1 -collect $$dir && rm -r $$dir

incidents: ## record the fault suite again for logstream eval (needs Docker, 12 minutes)
	dir=$$(mktemp -d) && LOGSTREAM_RECORDINGS=$$dir go test -tags e2e -count=1 -timeout 90m ./e2e/faults -run Faults -args -all -labels $$dir/labels.json && \
	go test ./healer/eval -count=1 -v -run Recorded -collect $$dir && rm -r $$dir

soak: ## repetitions and matrices: all histories of the model checker, the scenarios with the race detector, rounds of kill -9 and of external changes, half an hour of a page with 1,000 services
	LOGSTREAM_HISTORIES=100000 LOGSTREAM_INPUTS=4 go test ./healer -run 'Histories' -v -timeout 180m
	go test -race -count=10 -timeout 60m ./bus ./internal/process ./monitor
	go test -race -tags e2e -count=1 -p 1 -parallel 4 -timeout 90m ./e2e ./internal/docker
	go test -race -tags e2e -count=5 -p 1 -v -timeout 120m -run 'Killed|DockerIsUnreachable|EachFault|Deployment|Button|ThreeFaults' ./e2e
	LOGSTREAM_ROUNDS=20 go test -race -tags e2e -count=1 -v -timeout 60m -run WhatOthersDo ./e2e
	LOGSTREAM_FLEET=1000 LOGSTREAM_FLEET_FOR=30m go test -tags e2e -count=1 -v -timeout 60m -run ALargeFleet ./e2e
	LOGSTREAM_BOUNDARIES=all go test -tags e2e -count=1 -v -timeout 60m -run KilledInEachAction ./e2e
	for engine in current packaged; do LOGSTREAM_ENGINE=$$engine go test -tags e2e -count=3 -timeout 180m -v ./e2e/faults -run Faults -args -all -report $(CURDIR)/build/faults-$$engine || exit 1; done

bench: ## measurements, with ratios against a floor in the same run
	LOGSTREAM_ROUNDS=9 go test -tags e2e -count=1 -v -run Measure ./e2e
	go test -run '^$$' -bench . -benchtime 5x ./bus
	go test -tags e2e -run '^$$' -bench . -benchtime 30x ./bench/death
	for engine in current packaged; do LOGSTREAM_ENGINE=$$engine go test -tags e2e -run '^$$' -bench Repair -benchtime 9x ./e2e/faults || exit 1; done
	go run ./bench/monitor -with naive,logstream,gatus,whole
	go run ./bench/monitor -services 2000 -rounds 3
	go run ./bench/monitor -services 10000 -interval 10s -measure 21s
	go run ./bench/dashboard
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m -v ./bench/startup
