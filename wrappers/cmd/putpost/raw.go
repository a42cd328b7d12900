package main

import (
	"fmt"
	"reflect"

	"github.com/alecthomas/kong"
)

// rawString takes an argument as it stands: kong's own way is through JSON,
// which has no bytes that are not UTF-8, and file names do.
var rawString = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	value, ok := token.Value.(string)
	if !ok {
		return fmt.Errorf("expected a string, and not %v", token.Value)
	}
	target.SetString(value)
	return nil
})
