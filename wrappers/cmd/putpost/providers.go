package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	ncloudmailerstandin "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	twentyfoursevenstandin "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// provider holds all that the program knows of one provider. A new provider
// needs an entry in the map providers and nothing else.
type provider struct {
	// how says in two or three words how the bytes travel.
	how string

	// base is the documented address. The variable baseVar replaces it.
	base, baseVar string
	// credentials are the variables with the client's credentials.
	credentials []string
	// connect returns a client with the settings of the environment, or an
	// error that names the missing variables.
	connect func(env environment, cfg upload.Config) (upload.Uploader, error)
	// account returns a name for the account, because a journal is for one
	// account. It is empty if the account is not known. The journal stores it,
	// so it must not hold a credential.
	account func(env environment) string
	// wait waits until the provider has made a document of a file. It is nil if
	// the provider makes none.
	wait func(ctx context.Context, u upload.Uploader, fileID string) (documentID int64, err error)
	// failed is wait's error if the provider could not process the file.
	failed error
	// verbs are the provider's other operations.
	verbs []verb

	// standin makes the stand-in for the credentials in the environment.
	standin func(env environment, cfg standinConfig) (standin, error)
	// paths are the prefixes of the paths that the stand-in serves. If prefixes
	// of two providers match, the longer one counts.
	paths []string
	// calls are the methods and paths of the API, for the answer to a wrong
	// path.
	calls []string
	// credentialsInShell returns how to authenticate a request in a shell:
	// lines that come first, and options of curl. They name credentials as
	// variables.
	credentialsInShell func(operation, method, path string) (lines, options []string)
	// firstUpload holds shell lines that send hello.txt to the stand-in at BASE.
	// AUTHENTICATED stands for the options of credentialsInShell, for the first
	// of calls.
	firstUpload string
	// reach returns the variables that make a client use the stand-in at base.
	reach func(base string) []variable
	// fallback are the credentials that the stand-in checks, with their values
	// on loopback if none of them is set.
	fallback []variable
	// check returns an error that names the stand-in's missing credentials.
	check func(env environment) error
}

// verb is an operation under the name that the provider gives it.
type verb struct {
	name, help string
	takes      string // help for the ID
	more       string // help with an example
	mistaken   string // a hint if an id is not found and there are two kinds of ids
	call       func(ctx context.Context, u upload.Uploader, id string) ([]record, error)
}

type variable struct{ name, value string }

// standin is a provider's Handler.
type standin interface {
	http.Handler
	Open(ctx context.Context, fileID string) (io.ReadCloser, store.Info, error)
	Files(ctx context.Context) iter.Seq2[standinhttp.File, error]
	Reset(ctx context.Context) error
}

type standinConfig struct {
	store       store.Store
	maxSize     int64
	statusDelay time.Duration
	origin      func(*http.Request) string
	logger      *slog.Logger
}

func providerNames() []string { return slices.Sorted(maps.Keys(providers)) }

// client returns a client with the settings of the environment.
func (p provider) client(env environment, cfg upload.Config) (upload.Uploader, error) {
	if err := env.clean(p.credentials...); err != nil {
		return nil, usageError{err}
	}
	cfg.BaseURL = env(p.baseVar)
	cfg.UserAgent = userAgent()
	u, err := p.connect(env, cfg)
	if err != nil && errors.Is(err, upload.ErrInvalid) && cfg.BaseURL != "" {
		err = fmt.Errorf("%w; correct %s", err, p.baseVar)
	}
	if err != nil {
		return nil, usageError{err} // a setting is wrong
	}
	return u, nil
}

// destination returns the address of the provider's API, for a journal. All
// ports of loopback count as one address, because a stand-in has another port
// each time.
func (p provider) destination(env environment) string {
	base := cmp.Or(env(p.baseVar), p.base)
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip.IsLoopback() {
		u.Host = "loopback"
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")
}

// accountOf returns a hash of a key as a name for its account. The prefix makes
// it useless elsewhere.
func accountOf(key string) string {
	sum := sha256.Sum256([]byte("putpost journal account\x00" + key))
	return hex.EncodeToString(sum[:8])
}

// unset reports whether none of the credentials that p's stand-in checks is
// set.
func (p provider) unset(env environment) bool {
	return !slices.ContainsFunc(p.fallback, func(v variable) bool { return env(v.name) != "" })
}

const (
	tfsToken        = "TWENTYFOURSEVEN_TOKEN"
	tfsClientID     = "TWENTYFOURSEVEN_CLIENT_ID"
	tfsClientSecret = "TWENTYFOURSEVEN_CLIENT_SECRET"
	tfsOrganization = "TWENTYFOURSEVEN_ORGANIZATION"
	tfsBaseURL      = "TWENTYFOURSEVEN_BASE_URL"
	tfsTokenURL     = "TWENTYFOURSEVEN_TOKEN_URL"

	ncpAccessKey = "NCLOUD_ACCESS_KEY"
	ncpSecretKey = "NCLOUD_SECRET_KEY"
	ncpBaseURL   = "NCLOUD_MAILER_BASE_URL"
)

var providers = map[string]provider{
	"twentyfourseven": {
		how:     "presigned PUT",
		base:    twentyfourseven.BaseURL,
		baseVar: tfsBaseURL,
		connect: connectTwentyfourseven,

		credentials: []string{tfsToken, tfsClientID, tfsClientSecret, tfsOrganization},
		account: func(env environment) string {
			if env(tfsToken) != "" {
				return ""
			}
			return env(tfsOrganization)
		},
		wait: func(ctx context.Context, u upload.Uploader, fileID string) (int64, error) {
			st, err := u.(*twentyfourseven.Client).Wait(ctx, fileID)
			return st.DocumentID, err
		},
		failed: twentyfourseven.ErrFailed,
		verbs: []verb{{
			name:  "getFileUploadStatus",
			help:  "24SevenOffice: print \"FILEID<TAB>STATUS<TAB>DOCUMENTID\" of each FILEID.",
			takes: "A fileId, as send prints it.",
			more: `Ask whether two files have become documents:

  putpost getFileUploadStatus 4711 4712

STATUS is the word of 24SevenOffice, such as Pending, Completed or Failed.
DOCUMENTID is empty until there is a document. "putpost send --wait" waits for
it.`,
			call: func(ctx context.Context, u upload.Uploader, id string) ([]record, error) {
				st, err := u.(*twentyfourseven.Client).Status(ctx, id)
				return []record{{about: about{ID: st.FileID}, Status: st.Status, DocumentID: st.DocumentID,
					TraceID: st.TraceID, document: true}}, err
			},
		}},
		standin: func(env environment, cfg standinConfig) (standin, error) {
			return twentyfoursevenstandin.New(twentyfoursevenstandin.Config{
				Store: cfg.store, MaxSize: cfg.maxSize, Logger: cfg.logger,
				Token: env(tfsToken), ClientID: env(tfsClientID), ClientSecret: env(tfsClientSecret),
				StatusDelay: cfg.statusDelay, Origin: cfg.origin,
			})
		},
		paths: []string{"/v1/", "/upload/", "/download/", "/oauth/"},
		calls: []string{"POST /v1/fileUpload", "GET /v1/fileUpload/{fileId}", "GET /v1/documents/{documentId}",
			"POST /oauth/token"},
		credentialsInShell: func(operation, _, _ string) (lines, options []string) {
			switch operation {
			case "presigned":
				return nil, nil
			case "token":
				return nil, []string{
					"-d grant_type=client_credentials", `-d "client_id=$TWENTYFOURSEVEN_CLIENT_ID"`,
					`-d "client_secret=$TWENTYFOURSEVEN_CLIENT_SECRET"`,
					"-d audience=https://api.24sevenoffice.com", "-d login_organization=1",
				}
			}
			return nil, []string{`-H "Authorization: Bearer $TWENTYFOURSEVEN_TOKEN"`}
		},
		firstUpload: `answer=$(curl -s AUTHENTICATED \
  -H 'Content-Type: application/json' -d '{"contentType":"text/plain"}' BASE/v1/fileUpload)
curl -X PUT -H 'Content-Type: text/plain' --data-binary @hello.txt \
  "$(echo "$answer" | sed 's/.*"uploadUrl":"\([^"]*\)".*/\1/')"`,
		reach: func(base string) []variable {
			// A client needs an organization, and the stand-in accepts any.
			return []variable{{tfsBaseURL, base + "/v1"}, {tfsTokenURL, base + "/oauth/token"}, {tfsOrganization, "1"}}
		},
		fallback: []variable{{tfsToken, "test-token"}, {tfsClientID, "test-client-id"},
			{tfsClientSecret, "test-client-secret"}},
		check: func(env environment) error {
			return env.need("twentyfourseven", tfsToken, tfsClientID, tfsClientSecret)
		},
	},
	"ncloudmailer": {
		how:     "multipart POST",
		base:    ncloudmailer.BaseURLKR,
		baseVar: ncpBaseURL,

		credentials: []string{ncpAccessKey, ncpSecretKey},
		connect: func(env environment, cfg upload.Config) (upload.Uploader, error) {
			if err := env.need("ncloudmailer", "", ncpAccessKey, ncpSecretKey); err != nil {
				return nil, err
			}
			keys := ncloudmailer.Credentials{AccessKey: env(ncpAccessKey), SecretKey: env(ncpSecretKey)}
			return ncloudmailer.New(keys, cfg)
		},
		account: func(env environment) string { return accountOf(env(ncpAccessKey)) },
		verbs: []verb{
			batchVerb("getFile", "NAVER: print \"FILEID<TAB>NAME\" of each file of each tempRequestId.",
				"Look at what was sent before:", "NAVER deletes a file after 24 hours. Its ID is then not found.",
				(*ncloudmailer.Client).GetFile),
			batchVerb("deleteFile", "NAVER: delete the files of each tempRequestId, and print them as getFile does.",
				"Delete what was sent before. Nothing brings it back:",
				"An ID whose files are deleted already is not found.", (*ncloudmailer.Client).DeleteFile),
		},
		standin: func(env environment, cfg standinConfig) (standin, error) {
			return ncloudmailerstandin.New(ncloudmailerstandin.Config{
				Store: cfg.store, MaxSize: cfg.maxSize, Logger: cfg.logger,
				AccessKey: env(ncpAccessKey), SecretKey: env(ncpSecretKey),
			})
		},
		paths: []string{"/api/"},
		calls: []string{"POST /api/v1/files", "GET and DELETE /api/v1/files/{tempRequestId}",
			"the same below /api/v1-sgn and /api/v1-jpn"},
		credentialsInShell: func(_, method, path string) (lines, options []string) {
			return []string{
					"t=$(date +%s000)",
					`s=$(printf '` + method + ` ` + strings.ReplaceAll(path, "%", "%%") +
						`\n%s\n%s' "$t" "$NCLOUD_ACCESS_KEY" \`,
					`  | openssl dgst -sha256 -hmac "$NCLOUD_SECRET_KEY" -binary | base64)`,
				}, []string{
					`-H "x-ncp-apigw-timestamp: $t"`, `-H "x-ncp-iam-access-key: $NCLOUD_ACCESS_KEY"`,
					`-H "x-ncp-apigw-signature-v2: $s"`,
				}
		},
		firstUpload: `curl AUTHENTICATED \
  -F 'fileList=@hello.txt' BASE/api/v1/files`,
		reach:    func(base string) []variable { return []variable{{ncpBaseURL, base + "/api/v1"}} },
		fallback: []variable{{ncpAccessKey, "test-access-key"}, {ncpSecretKey, "test-secret-key"}},
		check:    func(env environment) error { return env.need("ncloudmailer", "", ncpAccessKey, ncpSecretKey) },
	},
}

// batchVerb returns an operation on the files that NAVER got in one request.
// The texts before and after stand around its example.
func batchVerb(name, help, before, after string,
	call func(*ncloudmailer.Client, context.Context, string) (ncloudmailer.Batch, error),
) verb {
	return verb{
		name: name, help: help, takes: "A tempRequestId, as send --json prints it.",
		more: before + `

  id=$(putpost send --to ncloudmailer --json a.pdf | jq -r .tempRequestId)
  putpost ` + name + ` "$id"

` + after,
		mistaken: "the ID must be a tempRequestId, as send --json prints it",
		call: func(ctx context.Context, u upload.Uploader, id string) ([]record, error) {
			batch, err := call(u.(*ncloudmailer.Client), ctx, id)
			var records []record
			for _, res := range batch.Files {
				records = append(records, recordOf(res))
			}
			return records, err
		},
	}
}

func connectTwentyfourseven(env environment, cfg upload.Config) (upload.Uploader, error) {
	if token := env(tfsToken); token != "" {
		return twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), cfg)
	}
	if err := env.need("twentyfourseven", tfsToken, tfsClientID, tfsClientSecret, tfsOrganization); err != nil {
		return nil, err
	}
	if err := checkAddress(env(tfsTokenURL)); err != nil {
		return nil, fmt.Errorf("twentyfourseven: %s %w", tfsTokenURL, err)
	}
	tokens := twentyfourseven.ClientCredentials{
		ClientID: env(tfsClientID), ClientSecret: env(tfsClientSecret),
		Organization: env(tfsOrganization), TokenURL: env(tfsTokenURL),
	}
	return twentyfourseven.New(tokens.TokenSource(context.Background()), cfg)
}

// checkAddress returns an error for an address that cannot be used. The client
// itself would notice only later. The error does not show the address, because
// it may hold a secret.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if address == "" || err == nil && (u.Scheme == "https" || u.Scheme == "http") &&
		u.Hostname() != "" && u.User == nil {
		return nil
	}
	return errors.New("is not an address like https://host/oauth/token")
}
