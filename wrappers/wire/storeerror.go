package wire

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// storeTable gives the answers of object stores their meaning where HTTP alone
// does not.
var storeTable = Table{
	{Status: 400, Code: "RequestTimeout", Kind: upload.ErrUnavailable, Again: true},
	{Status: 400, Code: "EntityTooLarge", Kind: upload.ErrTooLarge},
	{Status: 400, Text: "expired", Kind: upload.ErrExpired},
	{Status: 401, Text: "expired", Kind: upload.ErrExpired},
	{Status: 403, Text: "expired", Kind: upload.ErrExpired},
	{Status: 403, Text: "not valid in the specified time frame", Kind: upload.ErrExpired},
}

// readStoreError reads the XML that all object stores answer with. Azure and
// Google put the reason into a field of its own. If the URL itself shows the
// reason, it stands first.
func readStoreError(a Answer) (code, message string) {
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Detail  string `xml:"AuthenticationErrorDetail"`
		Details string // Google's
	}
	if xml.Unmarshal(bytes.TrimPrefix(a.Body, []byte("\xef\xbb\xbf")), &e) == nil {
		code, message = e.Code, strings.TrimSpace(e.Message+" "+e.Detail+e.Details)
	} else if a.Status/100 == 4 {
		e.Message = string(a.Body)
		message = e.Message
	}
	reason := e.Message + " " + e.Details
	if strings.HasPrefix(code, "Auth") { // Azure's message is the same for every reason
		reason = e.Detail
	}
	hint := ""
	end, known := expiry(a.request.URL.Query())
	refused := a.Status == http.StatusForbidden || a.Status == http.StatusUnauthorized
	switch {
	case strings.Contains(code, "Expired"):
		hint = "the URL has expired"
	case known && refused && !saysWhy(code, reason) && a.time().After(end):
		hint = "the URL has expired: it was good until " + end.UTC().Format(time.RFC3339)
	case a.Status == http.StatusForbidden || a.Status == http.StatusBadRequest:
		hint = unsigned(a.request)
	}
	if hint != "" { // in front, where nothing cuts it off
		message = strings.TrimSuffix(hint+"; "+message, "; ")
	}
	return code, message
}

var reasons = pattern(`(?i)signature|signed|header|match|credential|access ?key|polic|does not have`)

// saysWhy reports whether a refusal gives a reason of its own. Then the URL was
// not refused for its age.
func saysWhy(code, reason string) bool {
	switch code {
	case "", "AccessDenied", "AuthenticationFailed", "AuthorizationFailure", "Forbidden":
		return reasons().MatchString(reason)
	}
	return true
}

// expiry returns when a presigned URL runs out. It reads the date and the
// seconds of S3 and Google, the time of Azure, and the seconds since 1970 of
// older S3 and Google signatures.
func expiry(q url.Values) (end time.Time, known bool) {
	for _, vendor := range []string{"X-Amz-", "X-Goog-"} {
		begin, err := time.Parse("20060102T150405Z", q.Get(vendor+"Date"))
		seconds, err2 := strconv.Atoi(q.Get(vendor + "Expires"))
		if err == nil && err2 == nil {
			return begin.Add(time.Duration(seconds) * time.Second), true
		}
	}
	if q.Has("sig") {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
			if end, err := time.Parse(layout, q.Get("se")); err == nil {
				return end, true
			}
		}
	}
	if seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64); err == nil && q.Has("Signature") {
		return time.Unix(seconds, 0), true
	}
	return time.Time{}, false
}

// unsigned returns the headers that the URL is signed for and that were not
// sent, and the vendor's headers that were sent and are not signed. Stores
// refuse both, and seldom say which header it was.
func unsigned(req *http.Request) string {
	query, _ := url.ParseQuery(strings.ReplaceAll(req.URL.RawQuery, ";", "%3B")) // Go takes a semicolon for an error
	for _, vendor := range []string{"X-Amz-", "X-Goog-"} {
		if !query.Has(vendor + "SignedHeaders") {
			continue
		}
		signed := strings.Split(strings.ToLower(query.Get(vendor+"SignedHeaders")), ";")
		var missing, extra []string
		for _, name := range signed {
			if name != "host" && name != "content-length" && name != "" && len(req.Header.Values(name)) == 0 {
				missing = append(missing, name)
			}
		}
		for name := range req.Header {
			lower := strings.ToLower(name)
			if strings.HasPrefix(name, vendor) && !slices.Contains(signed, lower) {
				extra = append(extra, lower)
			}
		}
		slices.Sort(extra)
		var says []string
		if missing != nil {
			says = append(says, "the URL is signed for headers that were not sent: "+strings.Join(missing, ", "))
		}
		if extra != nil {
			says = append(says, "the URL is not signed for headers that were sent: "+strings.Join(extra, ", "))
		}
		return strings.Join(says, "; ")
	}
	return ""
}
