package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// A line ends with a checksum of all bytes before it. The checksum is the last
// field, so the line is JSON for other programs.
const (
	checksumName   = `,"crc32c":"`
	checksumLength = len(checksumName + `00000000"}`)
)

// checksum returns the last field of a line that begins with before.
func checksum(before []byte) string {
	return fmt.Sprintf(`%s%08x"}`, checksumName, crc32.Checksum(before, crc32.MakeTable(crc32.Castagnoli)))
}

// sealed returns a JSON object with its checksum.
func sealed(object []byte) []byte {
	before := bytes.TrimSuffix(object, []byte("}"))
	return append(before, checksum(before)...)
}

// isIntact reports whether the checksum of line is right. It detects one
// damaged byte even if the line is still JSON. A line of an earlier release has
// no checksum. It is intact if it has no unknown field.
func isIntact(line []byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	at := max(0, len(line)-checksumLength)
	if bytes.HasPrefix(line[at:], []byte(checksumName)) {
		return string(line[at:]) == checksum(line[:at])
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields() // the name of the checksum may be damaged
	return dec.Decode(&Entry{}) == nil
}
