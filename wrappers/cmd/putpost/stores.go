package main

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/store/s3"
)

const (
	awsKeyID   = "AWS_ACCESS_KEY_ID"
	awsSecret  = "AWS_SECRET_ACCESS_KEY"
	awsSession = "AWS_SESSION_TOKEN"
)

// openStore opens the store that --store names, and returns the name to show in
// where. No other place knows which stores there are.
func openStore(env environment, name string) (st store.Store, where string, err error) {
	switch {
	case name == "":
		return nil, "", usagef("--store is empty; it is memory, a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=R")
	case name == "memory":
		return store.Memory(0), "memory", nil
	case strings.HasPrefix(name, "s3:"):
		st, err = openBucket(env, name)
		where, _, _ = strings.Cut(name, "?")
		return st, where, err
	case strings.Contains(name, "://"):
		return nil, "", usagef("--store is an address, but not like s3://BUCKET/PREFIX?endpoint=URL&region=R")
	default:
		st, err = store.Disk(name)
		return st, name, err
	}
}

// lifecycle returns the rule that deletes NAVER's files in the bucket called
// name. They end after 24 hours, and one day is the nearest that a rule can say.
// The files of 24SevenOffice have no documented end.
func lifecycle(name string) (string, error) {
	u, err := url.Parse(name)
	if err != nil || u.Scheme != "s3" {
		return "", usagef("--print-lifecycle goes with --store s3://BUCKET/PREFIX")
	}
	rule, err := s3.Lifecycle(u.Path+"/ncloudmailer", 1)
	if err != nil {
		return "", usageError{err}
	}
	return rule, nil
}

// openBucket opens a bucket and asks it for an answer: a wrong setting that shows
// later would look like the failure of an upload.
func openBucket(env environment, address string) (store.Store, error) {
	if err := env.need("--store s3", awsKeyID, awsSecret); err != nil {
		return nil, usageError{err}
	}
	if err := env.clean(awsKeyID, awsSecret, awsSession); err != nil {
		return nil, usageError{err}
	}
	cred := s3.Credentials{AccessKeyID: env(awsKeyID), SecretAccessKey: env(awsSecret), SessionToken: env(awsSession)}
	st, err := s3.Open(address, cred)
	if err != nil {
		return nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := st.Check(ctx); err != nil {
		return nil, err
	}
	return st, nil
}
