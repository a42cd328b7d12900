package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/console"
)

func TestWhatIsWrongIsSaidInOneSentence(t *testing.T) {
	s := serve(t, console.Config{})
	fault := func(rest string) string { return `{"provider":"ncloudmailer","operation":"createFile",` + rest + `}` }
	other := func(provider, operation, kind string) string {
		return `{"provider":"` + provider + `","operation":"` + operation + `","kind":"` + kind + `"}`
	}
	answer := func(rest string) string { return fault(`"kind":"answer","status":503,` + rest) }
	const post, get, put, del = http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"an unknown exchange":       {get, "exchanges/77", "", 404, `"77"`},
		"an exchange in words":      {get, "exchanges/x%20y", "", 404, `"x y"`},
		"an unknown fault":          {del, "faults/77", "", 404, `"77"`},
		"an unknown file":           {get, "files/ncloudmailer/77", "", 404, `"77"`},
		"its content":               {get, "files/ncloudmailer/77/content", "", 404, `"77"`},
		"a file of nobody":          {get, "files/nobody/77", "", 404, "ncloudmailer, twentyfourseven"},
		"status of an unknown file": {put, "files/twentyfourseven/77/status", `{"status":"Failed"}`, 404, `"77"`},
		"status of nobody's file":   {put, "files/nobody/77/status", `{"status":"Failed"}`, 404, "nobody"},
		"a status where none is":    {put, "files/ncloudmailer/77/status", `{"status":"Failed"}`, 409, "no status"},
		"an empty status":           {put, "files/twentyfourseven/77/status", `{"status":""}`, 400, "status"},
		"a status that is a number": {put, "files/twentyfourseven/77/status", `{"status":7}`, 400, "status"},
		"an unknown path":           {get, "nothing", "", 404, "console.yaml"},
		"a wrong method":            {put, "reset", `{}`, 405, "POST"},
		"a wrong method of a list":  {del, "exchanges", "", 405, "GET"},
		"a filter by nobody":        {get, "exchanges?provider=nobody", "", 400, "nobody"},
		"a filter by no operation":  {get, "exchanges?operation=nothing", "", 400, "createFile"},
		"another's call": {get, "exchanges?provider=ncloudmailer&operation=fileUpload", "", 400,
			"createFile"},
		"events of nobody":       {get, "events?provider=nobody", "", 400, "nobody"},
		"files of nobody":        {get, "files?provider=nobody", "", 400, "nobody"},
		"a limit of nothing":     {get, "exchanges?limit=0", "", 400, "limit"},
		"a limit in words":       {get, "exchanges?limit=many", "", 400, "the parameter limit"},
		"a limit beyond measure": {get, "files?limit=99999999999999999999", "", 400, "limit"},
		"a since that is none":   {get, "exchanges?since=yesterday", "", 400, "yesterday"},
		"a broken that is none":  {get, "exchanges?broken=maybe", "", 400, "broken"},
		"no JSON":                {post, "faults", `{"provider"`, 400, "JSON"},
		"two values":             {post, "faults", fault(`"kind":"resetBefore"`) + "{}", 400, "JSON"},
		"another value":          {post, "faults", `[]`, 400, "body"},
		"nothing":                {post, "faults", ``, 400, "body"},
		"a reset of something":   {post, "reset", `{"everything":true}`, 400, "everything"},
		"an unknown kind":        {post, "faults", fault(`"kind":"explode"`), 400, "kind"},
		"no kind":                {post, "faults", fault(`"times":1`), 400, "kind"},
		"an unknown property":    {post, "faults", fault(`"kind":"resetBefore","tmes":1`), 400, "tmes"},
		"an unknown provider":    {post, "faults", other("nobody", "createFile", "resetBefore"), 400, "nobody"},
		"no such operation": {post, "faults", other("ncloudmailer", "upload", "resetBefore"), 400,
			"createFile"},
		"a step of others": {post, "faults", other("ncloudmailer", "presigned", "resetBefore"), 400,
			"createFile"},
		"a status below all":         {post, "faults", fault(`"kind":"answer","status":99`), 400, "status"},
		"an interim status":          {post, "faults", fault(`"kind":"answer","status":101`), 400, "status"},
		"a status beyond all":        {post, "faults", fault(`"kind":"answer","status":1000`), 400, "status"},
		"a status in words":          {post, "faults", fault(`"kind":"answer","status":"busy"`), 400, "status"},
		"an answer without a status": {post, "faults", fault(`"kind":"answer"`), 400, "status"},
		"a body under 204":           {post, "faults", fault(`"kind":"answer","status":204,"body":"x"`), 400, "204"},
		"a delay without its time":   {post, "faults", fault(`"kind":"delay"`), 400, "delayMs"},
		"a delay of nothing":         {post, "faults", fault(`"kind":"delay","delayMs":0`), 400, "delayMs"},
		"a delay without end":        {post, "faults", fault(`"kind":"delay","delayMs":9e18`), 400, "delayMs"},
		"a delay with a status":      {post, "faults", fault(`"kind":"delay","delayMs":1,"status":503`), 400, "status"},
		"a reset with a delay":       {post, "faults", fault(`"kind":"resetAfter","delayMs":1`), 400, "delayMs"},
		"times below nothing":        {post, "faults", fault(`"kind":"resetAfter","times":-1`), 400, "times"},
		"an expiry of what does not": {post, "faults", fault(`"kind":"expired"`), 400, "presigned"},
		"no credentials": {post, "faults", other("twentyfourseven", "presigned", "unauthorized"), 400,
			"expired"},
		"a header's name that is none": {post, "faults", answer(`"headers":{"a b":"c"}`), 400, "a b"},
		"a header that ends its line":  {post, "faults", answer(`"headers":{"a":"b\r\nc: d"}`), 400, "control"},
		"the server's own header": {post, "faults", answer(`"headers":{"content-length":"7"}`), 400,
			"content-length"},
		"a large body": {post, "faults", answer(`"body":"` + strings.Repeat("x", 70_000) + `"`), 400,
			"body"},
		"a huge body": {post, "faults", answer(`"body":"` + strings.Repeat("x", 1<<20) + `"`),
			413, "bytes"},
	} {
		header := []string{inJSON, "application/json"}
		if tc.body == "" && tc.method != post {
			header = nil
		}
		a := s.ask(tc.method, tc.path, tc.body, header...)
		var refused map[string]string
		a.Decode(&refused)
		said := refused["error"]
		if a.Status != tc.status || len(refused) != 1 || !strings.Contains(said, tc.says) ||
			strings.Contains(said, "\n") || len(said) > 400 {
			t.Errorf("%s: %d %s, want %d with %q", name, a.Status, a.Text, tc.status, tc.says)
		}
	}
	if len(s.faults()) != 0 {
		t.Error("a fault waits all the same")
	}
}
