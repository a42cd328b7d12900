//go:build tools

// A tool that is imported here stands in go.mod with its version and in go.sum
// with its hash, so that `go generate` runs the same one everywhere. The build
// tag is never set: nothing links what is imported here.

package putpost

import (
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
