package s3

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/store"
)

// address is a parsed s3:// URL.
type address struct {
	base   string // the bucket's own URL; no slash at its end
	public string // the same for presigned URLs
	prefix string // of every key; ends with a slash, unless it is empty
	bucket string
	region string
}

// parse reads an s3:// URL. Its errors never show rawURL, because it may hold a
// secret.
func parse(rawURL string) (address, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return address{}, errors.New("the address is not of the form s3://BUCKET/PREFIX?endpoint=URL&region=REGION")
	}
	addr := address{bucket: u.Host, region: "us-east-1"}
	if !isBucket(addr.bucket) {
		return address{}, fmt.Errorf("%q is not the name of a bucket", addr.bucket)
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		if err := store.CheckKey(prefix); err != nil {
			return address{}, fmt.Errorf("prefix: %w", err)
		}
		addr.prefix = prefix + "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, errors.New("the address has a query that cannot be read")
	}
	for name, values := range query {
		if len(values) != 1 || values[0] == "" {
			return address{}, fmt.Errorf("%q must be set once or not at all", name)
		}
		switch value := values[0]; name {
		case "endpoint":
			addr.base, err = endpoint(name, value, addr.bucket)
		case "public":
			addr.public, err = endpoint(name, value, addr.bucket)
		case "region":
			if addr.region = value; !validRegion().MatchString(value) || len(value) > 63 {
				err = errors.New("the region is not a name like eu-north-1")
			}
		default:
			err = fmt.Errorf("%q is not a setting; the settings are endpoint, region and public", name)
		}
		if err != nil {
			return address{}, err
		}
	}
	if addr.base == "" {
		addr.base = awsBucket(addr.bucket, addr.region)
	}
	if addr.public == "" {
		addr.public = addr.base
	} else if addr.basePath(addr.public) != addr.basePath(addr.base) {
		return address{}, errors.New("the public setting has another path than the endpoint: a signature " +
			"covers the path")
	}
	return addr, nil
}

// basePath returns the part of bucketURL's path before the bucket.
func (a address) basePath(bucketURL string) string {
	u, err := url.Parse(bucketURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/"+a.bucket)
}

// awsBucket returns the URL of a bucket at AWS. A bucket with a dot stands in
// the path, because AWS's certificates do not fit it as a host name.
func awsBucket(bucket, region string) string {
	if strings.Contains(bucket, ".") {
		return "https://s3." + region + ".amazonaws.com/" + bucket
	}
	return "https://" + bucket + ".s3." + region + ".amazonaws.com"
}

// endpoint returns the URL of a bucket at an endpoint other than AWS. The
// bucket stands in the path, after the endpoint's own, because few other stores
// have a host name for each bucket.
func endpoint(setting, value, bucket string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("the %s setting is not of the form https://HOST or http://HOST:PORT", setting)
	}
	path := strings.Trim(u.Path, "/")
	if path != "" && store.CheckKey(path) != nil { // it would need escaping, and the signer does none
		return "", fmt.Errorf("the %s setting has a path with other than letters, digits, '-', '_' and '.'", setting)
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+"/"+path, "/") + "/" + bucket, nil
}

// These are compiled on first use, not at the start of the program.
var (
	validRegion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`) })
	validBucket = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`) })
)

func isBucket(name string) bool {
	_, err := netip.ParseAddr(name)
	return err != nil && len(name) >= 3 && len(name) <= 63 && validBucket().MatchString(name) &&
		!strings.Contains(name, "..")
}
