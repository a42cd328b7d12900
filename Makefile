# What node runs, in the one place where its versions stand.
REDOCLY  = @redocly/cli@2.77.0
SPECTRAL = @stoplight/spectral-cli@6.16.3

.PHONY: generate verify lint-specs

# Writes gen/ anew from specs/.
generate:
	rm -rf gen
	go generate .

# Fails where gen/ is not, file for file, what the specs give, and where go.mod is
# not tidy. It generates aside, so the working tree stays as it is.
verify:
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	cp -R go.mod go.sum generate.go tools.go specs .config "$$tmp" && \
	(cd "$$tmp" && GOWORK=off go generate .) && \
	{ diff -r "$$tmp/gen" gen || { echo 'verify: gen/ is not what the specs give: run "make generate"' >&2; exit 1; }; }
	@go mod tidy -diff || { echo 'verify: go.mod is not tidy: run "go mod tidy"' >&2; exit 1; }

# Redocly and Spectral on specs/, where node is there.
lint-specs:
	@if ! command -v npx >/dev/null; then echo 'lint-specs: skipped, since node (npx) is not installed'; exit 0; fi; \
	npx --yes $(REDOCLY) lint --config .config/redocly.yaml specs/*.yaml && \
	npx --yes $(SPECTRAL) lint --ruleset .config/spectral.yaml --fail-severity hint specs/*.yaml
