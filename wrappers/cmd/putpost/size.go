package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes. People write it as 1048576, 10MB or 10MiB.
type byteSize int64

var units = []struct {
	name  string
	bytes float64
}{
	// Longer names first: "10MiB" ends with a B as well.
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1}, {"", 1},
}

// UnmarshalText reads a flag.
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if n *= unit.bytes; err != nil || !(n >= 0 && n < math.MaxInt64) || n != math.Trunc(n) ||
			strings.ContainsAny(digits, "xXpP_") {
			break
		}
		*s = byteSize(n)
		return nil
	}
	return fmt.Errorf("%q is no size like 1048576, 10MB or 10MiB", text)
}

// String returns a size with three digits or a few more, as "34.5 MiB".
func (s byteSize) String() string {
	n := float64(s)
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1000 {
			if unit == "bytes" {
				return counted(int64(s), "byte")
			}
			return fmt.Sprintf("%.1f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.1f TiB", n)
}
