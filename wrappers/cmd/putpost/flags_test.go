package main

import (
	"strconv"
	"testing"
)

func TestAnInvalidDurationIsAUsageError(t *testing.T) {
	for _, flag := range []string{"--timeout", "--stall", "--wait-timeout"} {
		for _, value := range []string{"0", "0s", "-1s", "10", "soon", "", "1y", "NaN", "9999999h"} {
			invoke(map[string]string{tfsToken: "x"}, nil, "send", "--to", "twentyfourseven", flag+"="+value, "x").
				refused(t, exitUsage, strconv.Quote(value)+" is not a duration like 90s, 5m or 2h")
		}
	}
}

func TestSizesAreReadWithUnits(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "1048576": 1 << 20, "12B": 12, "10MB": 10_000_000, "10MiB": 10 << 20, "10 MiB": 10 << 20,
		"1kB": 1000, "1KB": 1000, "1KiB": 1024, "1.5GiB": 3 << 29, "2GB": 2_000_000_000, "1TiB": 1 << 40, "1TB": 1e12,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, int64(got), err, int64(want))
		}
	}
	for _, text := range []string{"", "MB", "10M", "-1", "-1MB", "1.5", "1e99", "9999999TiB", "NaN", "Inf", "0x10",
		"1_000", "10 XB", "ten"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %d", text, int64(got))
		}
	}
}

func TestSizesAreShown(t *testing.T) {
	for size, want := range map[byteSize]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1.0 KiB", 1 << 20: "1.0 MiB", 36_175_872: "34.5 MiB", 5 << 30: "5.0 GiB",
		3 << 40: "3.0 TiB", 5000 << 40: "5000.0 TiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(size), got, want)
		}
	}
}
