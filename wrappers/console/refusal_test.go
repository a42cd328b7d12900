package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/console"
)

func TestWhatIsWrongIsSaidInOneSentence(t *testing.T) {
	s := serve(t, console.Config{})
	fault := func(rest string) string { return `{"provider":"ncloudmailer","operation":"createFile",` + rest + `}` }
	const post, get, put, del = http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"an unknown exchange":             {get, "exchanges/77", "", 404, `"77"`},
		"an exchange that is no number":   {get, "exchanges/x%20y", "", 404, `"x y"`},
		"an unknown fault":                {del, "faults/77", "", 404, `"77"`},
		"an unknown file":                 {get, "files/ncloudmailer/77", "", 404, `"77"`},
		"its content":                     {get, "files/ncloudmailer/77/content", "", 404, `"77"`},
		"a file of nobody":                {get, "files/nobody/77", "", 404, "ncloudmailer, twentyfourseven"},
		"the status of an unknown file":   {put, "files/twentyfourseven/77/status", `{"status":"Failed"}`, 404, `"77"`},
		"the status of nobody's file":     {put, "files/nobody/77/status", `{"status":"Failed"}`, 404, "nobody"},
		"a status where there is none":    {put, "files/ncloudmailer/77/status", `{"status":"Failed"}`, 409, "no status"},
		"an empty status":                 {put, "files/twentyfourseven/77/status", `{"status":""}`, 400, "status"},
		"a status that is a number":       {put, "files/twentyfourseven/77/status", `{"status":7}`, 400, "status"},
		"an unknown path":                 {get, "nothing", "", 404, "console.yaml"},
		"a wrong method":                  {put, "reset", `{}`, 405, "POST"},
		"a wrong method of a list":        {del, "exchanges", "", 405, "GET"},
		"a filter by nobody":              {get, "exchanges?provider=nobody", "", 400, "nobody"},
		"a filter by no operation":        {get, "exchanges?operation=nothing", "", 400, "createFile"},
		"another provider's operation":    {get, "exchanges?provider=ncloudmailer&operation=fileUpload", "", 400, "createFile"},
		"events of nobody":                {get, "events?provider=nobody", "", 400, "nobody"},
		"files of nobody":                 {get, "files?provider=nobody", "", 400, "nobody"},
		"a limit of nothing":              {get, "exchanges?limit=0", "", 400, "limit"},
		"a limit that is no number":       {get, "exchanges?limit=many", "", 400, "limit"},
		"a limit beyond measure":          {get, "files?limit=99999999999999999999", "", 400, "limit"},
		"a since that is none":            {get, "exchanges?since=yesterday", "", 400, "yesterday"},
		"a broken that is none":           {get, "exchanges?broken=maybe", "", 400, "broken"},
		"no JSON":                         {post, "faults", `{"provider"`, 400, "JSON"},
		"two values":                      {post, "faults", fault(`"kind":"resetBefore"`) + "{}", 400, "JSON"},
		"another value":                   {post, "faults", `[]`, 400, "body"},
		"nothing":                         {post, "faults", ``, 400, "body"},
		"a reset with something else":     {post, "reset", `{"everything":true}`, 400, "everything"},
		"an unknown kind":                 {post, "faults", fault(`"kind":"explode"`), 400, "kind"},
		"no kind":                         {post, "faults", fault(`"times":1`), 400, "kind"},
		"an unknown property":             {post, "faults", fault(`"kind":"resetBefore","tmes":1`), 400, "tmes"},
		"an unknown provider":             {post, "faults", `{"provider":"nobody","operation":"createFile","kind":"resetBefore"}`, 400, "nobody"},
		"an unknown operation":            {post, "faults", `{"provider":"ncloudmailer","operation":"upload","kind":"resetBefore"}`, 400, "createFile"},
		"a step that NAVER has not":       {post, "faults", `{"provider":"ncloudmailer","operation":"presigned","kind":"resetBefore"}`, 400, "createFile"},
		"a status below all":              {post, "faults", fault(`"kind":"answer","status":99`), 400, "status"},
		"a status that is no answer's":    {post, "faults", fault(`"kind":"answer","status":101`), 400, "status"},
		"a status beyond all":             {post, "faults", fault(`"kind":"answer","status":1000`), 400, "status"},
		"a status in words":               {post, "faults", fault(`"kind":"answer","status":"busy"`), 400, "status"},
		"an answer without a status":      {post, "faults", fault(`"kind":"answer"`), 400, "status"},
		"a body under 204":                {post, "faults", fault(`"kind":"answer","status":204,"body":"x"`), 400, "204"},
		"a delay without its time":        {post, "faults", fault(`"kind":"delay"`), 400, "delayMs"},
		"a delay of nothing":              {post, "faults", fault(`"kind":"delay","delayMs":0`), 400, "delayMs"},
		"a delay without end":             {post, "faults", fault(`"kind":"delay","delayMs":9e18`), 400, "delayMs"},
		"a delay with a status":           {post, "faults", fault(`"kind":"delay","delayMs":1,"status":503`), 400, "status"},
		"a reset with a delay":            {post, "faults", fault(`"kind":"resetAfter","delayMs":1`), 400, "delayMs"},
		"times below nothing":             {post, "faults", fault(`"kind":"resetAfter","times":-1`), 400, "times"},
		"an expiry of what does not":      {post, "faults", fault(`"kind":"expired"`), 400, "presigned"},
		"credentials of what needs none":  {post, "faults", `{"provider":"twentyfourseven","operation":"presigned","kind":"unauthorized"}`, 400, "expired"},
		"a header's name that is none":    {post, "faults", fault(`"kind":"answer","status":503,"headers":{"a b":"c"}`), 400, "a b"},
		"a header that ends its line":     {post, "faults", fault(`"kind":"answer","status":503,"headers":{"a":"b\r\nc: d"}`), 400, "control"},
		"a header of the server's":        {post, "faults", fault(`"kind":"answer","status":503,"headers":{"content-length":"7"}`), 400, "content-length"},
		"a body that is too large":        {post, "faults", fault(`"kind":"answer","status":503,"body":"` + strings.Repeat("x", 70_000) + `"`), 400, "body"},
		"a request that is far too large": {post, "faults", fault(`"kind":"answer","status":503,"body":"` + strings.Repeat("x", 1<<20) + `"`), 413, "bytes"},
	} {
		header := []string{inJSON, "application/json"}
		if tc.body == "" && tc.method != post {
			header = nil
		}
		resp, text := s.ask(tc.method, tc.path, tc.body, header...)
		var answer map[string]string
		if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer) != 1 {
			t.Errorf("%s: %s: %q", name, resp.Status, text)
		}
		said := answer["error"]
		if resp.StatusCode != tc.status || !strings.Contains(said, tc.says) || strings.Contains(said, "\n") || len(said) > 400 {
			t.Errorf("%s: %s: %s, want %d with %q", name, resp.Status, said, tc.status, tc.says)
		}
	}
	if len(s.faults()) != 0 {
		t.Error("a fault waits all the same")
	}
}
