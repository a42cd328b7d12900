//go:build tools

// Package putpost pins the generator: a tool imported here stands in go.mod
// with its version and in go.sum with its hash, so `go generate` runs the same
// one everywhere. The build tag keeps it out of every program.
package putpost

import (
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
