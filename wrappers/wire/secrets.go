package wire

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// secrets lists what no message about an exchange may repeat: the headers that
// authenticate, the URL's user info, the values in its query that are not public,
// the proxy's user info, and what the API hides besides. Only failures ask.
func (d *Doer) secrets(reqs ...*http.Request) *secretSet {
	set := &secretSet{}
	if d.api.Hide != nil {
		for _, s := range d.api.Hide() {
			set.add(s)
		}
	}
	for _, req := range reqs {
		if req == nil {
			continue
		}
		for _, name := range d.api.Secret {
			for _, v := range req.Header.Values(name) {
				addHeader(set, name, v)
			}
		}
		addURL(set, req.URL)
		if d.base != nil && d.base.Proxy != nil {
			if proxy, err := d.base.Proxy(req); err == nil && proxy != nil {
				addUserInfo(set, proxy.User)
			}
		}
	}
	return set
}

// addHeader adds the value of a header that authenticates, and its credentials
// without their scheme. A time is no secret, although it is signed.
func addHeader(set *secretSet, name, value string) {
	scheme, credentials, found := strings.Cut(value, " ")
	switch {
	case strings.Contains(name, "Timestamp"):
		return
	case !found:
		set.add(value)
		return
	}
	set.add(credentials)
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			set.add(string(plain))
			set.add(password)
		}
	}
}

func addURL(set *secretSet, u *url.URL) {
	if u == nil {
		return
	}
	set.addWhole(u.RawQuery)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, v, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(v)
		if err != nil {
			plain = v
		}
		name = strings.ToLower(name)
		if publicParameters[name] || date.MatchString(plain) {
			continue
		}
		if strings.HasSuffix(name, "-credential") { // the key's id, and behind it a date and a region
			plain, _, _ = strings.Cut(plain, "/")
		}
		set.add(plain)
	}
	addUserInfo(set, u.User)
}

func addUserInfo(set *secretSet, user *url.Userinfo) {
	if user == nil {
		return
	}
	password, _ := user.Password()
	set.add(user.Username())
	set.add(password)
	set.add(user.Username() + ":" + password)
	set.add(base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password)))
}

// date matches a time as the stores write it, which a refusal should show.
var date = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ][\d:.]*(Z|[+-][\d:]+)?)?$|^\d{8}(T\d{6}Z)?$`)

// publicParameters are those of presigned URLs whose values give nobody access:
// times, and what the signature is about.
var publicParameters = map[string]bool{
	"x-amz-algorithm": true, "x-amz-date": true, "x-amz-expires": true, "x-amz-signedheaders": true, "x-amz-content-sha256": true, "x-id": true,
	"x-goog-algorithm": true, "x-goog-date": true, "x-goog-expires": true, "x-goog-signedheaders": true, "expires": true,
	"se": true, "st": true, "sv": true, "sr": true, "sp": true, "spr": true, "ss": true, "srt": true, "ske": true, "skt": true, "sks": true, "skv": true,
	"partnumber": true, "versionid": true, "response-content-type": true, "response-content-disposition": true, "content-type": true, "contenttype": true,
}
