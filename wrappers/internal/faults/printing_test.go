package faults

import (
	"context"
	"encoding/json"
	goname "go/token"
	"net/http"
	"reflect"
	"testing"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	mailer "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// No value of this module shows credentials, whatever verb prints it. Each
// value is printed as it is, by its address, as a field and in a slice. In a
// field that is not exported, fmt calls no method: it prints a program's own
// Credentials there, but not what a client or a handler holds.
func TestExportedTypesShowNoSecret(t *testing.T) {
	l := newLab(t, fileUpload)
	l.start()
	defer l.end()
	u := l.uploader()
	if _, err := u.Upload(t.Context(), l.src); err != nil { // fetches a token
		t.Fatal(err)
	}
	keys := ncloudmailer.Credentials{AccessKey: accessKey, SecretKey: secretKey}
	foreign, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: planted + "-static"}),
		upload.Config{})
	if err != nil {
		t.Fatal(err)
	}
	mail, err := ncloudmailer.New(keys, upload.Config{})
	if err != nil {
		t.Fatal(err)
	}
	doer, err := wire.NewDoer(wire.API{
		Provider: "example", BaseURL: "https://api.example",
		Authorize: func(req *http.Request) error { req.Header.Set("Authorization", planted); return nil },
		Hide:      func() []string { return []string{planted + "-hidden"} },
	}, upload.Config{})
	if err != nil {
		t.Fatal(err)
	}
	officeConfig := office.Config{Store: store.Memory(0), Token: planted + "-static", ClientID: "the-client",
		ClientSecret: clientSecret}
	officeHandler, err := office.New(officeConfig)
	if err != nil {
		t.Fatal(err)
	}
	mailerConfig := mailer.Config{Store: store.Memory(0), AccessKey: accessKey, SecretKey: secretKey}
	mailerHandler, err := mailer.New(mailerConfig)
	if err != nil {
		t.Fatal(err)
	}
	failed := twentyfourseven.ClientCredentials{ClientSecret: clientSecret}
	for name, v := range map[string]any{
		"twentyfourseven.Client": u, "twentyfourseven.Client of a foreign source": foreign,
		"twentyfourseven.ClientCredentials": l.credentials(),
		"twentyfourseven's token source":    l.tokens,
		"a token source that failed":        failed.TokenSource(context.Background()),
		"ncloudmailer.Client":               mail, "ncloudmailer.Credentials": keys,
		"wire.Doer": doer, "wire.Presigned": doer.Presigned(), "wire.Body": wire.Raw(l.src), "upload.Config": l.cfg,
		"twentyfourseven/standin.Config": officeConfig, "twentyfourseven/standin.Handler": officeHandler,
		"ncloudmailer/standin.Config": mailerConfig, "ncloudmailer/standin.Handler": mailerHandler,
	} {
		if _, err := json.Marshal(v); err != nil && name != "upload.Config" { // it holds a caller's HTTP client
			t.Errorf("%s cannot be logged as JSON: %v", name, err)
		}
		texts := texts{}
		texts.print(name, v)
		texts.print(name+" as a field", struct{ Held any }{v})
		texts.print(name+" in a slice", []any{v})
		value := reflect.ValueOf(v)
		if value.Kind() == reflect.Pointer {
			texts.print(name+" as a field that is not exported", struct{ held any }{v})
			if goname.IsExported(value.Type().Elem().Name()) {
				texts.print("what "+name+" points to", value.Elem())
			}
		} else {
			address := reflect.New(value.Type())
			address.Elem().Set(value)
			texts.print("the address of "+name, address.Interface())
		}
		l.noSecretIn(texts)
	}
}
