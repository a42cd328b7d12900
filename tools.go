//go:build tools

// Importing a tool here pins its version in go.mod and its hash in go.sum, so
// that `go generate` runs the same one everywhere. The build tag is never set,
// so nothing links the imports.

package putpost

import (
	_ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
)
