# All tools with their versions. Only the generator is pinned elsewhere: in
# go.mod, through tools.go.
GOLANGCI  = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OASDIFF   = github.com/oasdiff/oasdiff@v1.33.0
VERSITYGW = github.com/versity/versitygw/cmd/versitygw@v1.8.0
CYCLONEDX = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
BENCHSTAT = golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
GORELEASE = golang.org/x/exp/cmd/gorelease@v0.0.0-20261113113407-e3970619a1a4
GREMLINS  = github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
REDOCLY   = @redocly/cli@2.77.0
SPECTRAL  = @stoplight/spectral-cli@6.16.3

BENCH     = wrappers/internal/bench
FOREIGN   = wrappers/internal/foreign
FUZZTIME  = 10s

.PHONY: test race generate verify lint lint-specs breaking fuzz mutate bench soak test-s3 contract-live api dist man

test:
	go test ./...

race:
	go test -race ./...

# Writes gen/ anew from specs/, and the clients of other people's APIs.
generate:
	rm -rf gen
	go generate .
	go -C $(FOREIGN) generate .

# Fails if gen/ differs from what the specs generate, or if go.mod is not tidy.
# It generates into a temporary folder, so the working tree does not change.
verify:
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	cp -R go.mod go.sum generate.go tools.go specs .config "$$tmp" && \
	(cd "$$tmp" && GOWORK=off go generate .) && \
	{ diff -r "$$tmp/gen" gen || { echo 'verify: gen/ is not what the specs give: run "make generate"' >&2; exit 1; }; } && \
	mkdir -p "$$tmp/wrappers/internal" && cp -R $(FOREIGN) "$$tmp/$(FOREIGN)" && \
	(cd "$$tmp/$(FOREIGN)" && GOWORK=off go generate .) && \
	{ diff -r "$$tmp/$(FOREIGN)" $(FOREIGN) || { echo 'verify: $(FOREIGN) is not what its documents give: run "make generate"' >&2; exit 1; }; }
	@go mod tidy -diff || { echo 'verify: go.mod is not tidy: run "go mod tidy"' >&2; exit 1; }

lint:
	go vet ./...
	go run $(GOLANGCI) run --allow-parallel-runners -c .config/golangci.yaml ./...
	@# If a method is looked up by name, the linker keeps all methods: 2 MB.
	@! go build -o /dev/null -ldflags=-dumpdep ./wrappers/cmd/putpost 2>&1 | grep '<ReflectMethod>'

# Runs Redocly and Spectral on specs/, if node is installed.
lint-specs:
	@if ! command -v npx >/dev/null; then echo 'lint-specs: skipped, since node (npx) is not installed'; exit 0; fi; \
	npx --yes $(REDOCLY) lint --config .config/redocly.yaml specs/*.yaml && \
	npx --yes $(SPECTRAL) lint --ruleset .config/spectral.yaml --fail-severity hint specs/*.yaml

# Lists changes of specs/ since the revision BASE that break a client, or a user
# of the generated code. .config/oasdiff.txt raises the severity of some
# changes.
breaking:
	@git rev-parse --verify --quiet "$(BASE)^{commit}" >/dev/null || { \
		echo 'breaking: BASE="$(BASE)" is no revision here: name one, as in "make breaking BASE=v0.1.0"' >&2; exit 2; }
	@broken=0; for spec in $$(git ls-tree --name-only "$(BASE)" specs/ | grep '\.yaml$$'); do \
		echo "== $$spec"; test -e "$$spec" || { echo 'the whole spec was removed'; broken=1; continue; }; \
		go run $(OASDIFF) breaking --format singleline --severity-levels .config/oasdiff.txt --fail-on WARN "$(BASE):$$spec" "$$spec" || broken=1; \
	done; exit $$broken

# Lists changes of the Go API since the last tag that break a user.
api:
	@last=$$(git describe --tags --match 'v*' --abbrev=0 2>/dev/null) || { echo 'api: skipped, since there is no tag yet'; exit 0; }; \
	go run $(GORELEASE) -base "$$last"

# Runs every fuzz target for FUZZTIME. A target that fails without naming an
# input was cut off by go test's own clock (golang/go#75804) and runs again.
fuzz:
	@log=$$(mktemp) && trap 'rm -f "$$log"' EXIT; \
	for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			run="go test -run ^$$ -fuzz ^$$target$$ -fuzztime $(FUZZTIME) $$pkg"; echo "$$run"; \
			$$run >"$$log" 2>&1 || { cat "$$log"; grep -q 'Failing input' "$$log" && exit 1; $$run || exit 1; }; \
			tail -n 2 "$$log"; \
		done; \
	done

# Changes one operator after the other and lists the mutants that no test kills.
# .config/gremlins.yaml says why they live. Efficacy is the share of killed
# mutants among those whose tests ended. It takes hours; make mutate MUTATE=wire
# tests one package. It works on a copy. With -count=1, because gremlins would
# take the time of a cached run for the time that the tests need.
MUTATE   = upload wire ncloudmailer ncloudmailer/standin twentyfourseven twentyfourseven/standin store \
	internal/contract internal/monitor internal/journal uploadtest uploadtest/internal/probe uploadtest/internal/apispec
EFFICACY = 95

mutate:
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	cp -R go.mod go.sum generate.go README.md .config specs gen wrappers "$$tmp" && cd "$$tmp" && \
	for pkg in $(MUTATE); do \
		echo "mutate $$pkg"; \
		GOFLAGS=-count=1 go run $(GREMLINS) unleash --config .config/gremlins.yaml ./wrappers/$$pkg >"$$tmp/log" 2>&1; \
		grep -E '^ *(LIVED|TIMED OUT) ' "$$tmp/log"; \
		awk -v least=$(EFFICACY) '{ gsub(",", "") } /^Killed:/ { killed = $$2; lived = $$4 } /^Timed out:/ { late = $$3 } \
			END { if (killed + lived == 0) { print "nothing was turned"; exit 1 } \
			found = 100 * killed / (killed + lived); \
			printf "killed %d, lived %d, timed out %d: efficacy %.1f %%\n", killed, lived, late, found; exit found < least }' \
			"$$tmp/log" || { tail -n 3 "$$tmp/log"; failed=1; }; \
	done; sed -n '/^# These live/,$$p' .config/gremlins.yaml; test -z "$$failed"

# Compares putpost with bare net/http and other clients in about half an hour.
# It writes the table of goals, the chart and the README's figures.
bench:
	go -C $(BENCH) test -run Goals -v -timeout 3h .
	PUTPOST_BENCH_DRAW=1 go -C $(BENCH) test -run Chart .
	cd $(BENCH) && go run $(BENCHSTAT) -filter '.name:Upload .unit:cpu-ns/op' -row /way,/size,/at -col /peer results/bench.txt

# Sends SOAK_UPLOADS through each client, and spoils one request in a hundred.
# It takes minutes, begins no upload after SOAK_TIME, and prints its figures.
SOAK_UPLOADS = 100000
SOAK_TIME    = 7m
soak:
	PUTPOST_SOAK_UPLOADS=$(SOAK_UPLOADS) PUTPOST_SOAK_TIME=$(SOAK_TIME) \
	go test -run '^TestSoak$$' -v -count=1 -timeout 15m ./wrappers/internal/soak

# Tests the s3 store, and the stand-ins and servers on it, with a real S3
# server.
test-s3:
	@bin=$$(mktemp -d) && trap 'rm -rf "$$bin"' EXIT && \
	GOBIN="$$bin" go install $(VERSITYGW) && \
	PUTPOST_VERSITYGW="$$bin/versitygw" go test ./wrappers/store/s3/...

# Tests the clients with the real services or replacements: a few small uploads
# to each service whose base URL and credentials are in the environment.
contract-live:
	PUTPOST_LIVE=1 go test -count=1 -p=1 -v -run '^TestLive$$' $(patsubst specs/%.yaml,./wrappers/%,$(wildcard specs/*.yaml))

# Builds the program for each platform, with notices, bills of materials and
# checksums.
dist:
	CYCLONEDX=$(CYCLONEDX) .github/dist

# Writes the program's manual page to man/, from the program's help.
man:
	mkdir -p man && go run ./wrappers/cmd/putpost man > man/putpost.1
