//go:build !unix || solaris || aix

package main

import "os"

func lockFile(*os.File) error { return nil }
