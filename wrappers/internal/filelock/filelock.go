// Package filelock locks a file against other processes. The system releases
// the lock when the file is closed or its process ends, also by kill -9.
package filelock

import "errors"

// ErrInUse says that another process holds the lock, or another open file of
// this process.
var ErrInUse = errors.New("is in use by another process")
