package dashboard

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"logstream/dashboard/access"
)

// The login page is made here, and works without scripts: it must work where
// nothing else does, and password managers know such forms.
//
//go:embed login.html
var loginHTML string

var loginTemplate = template.Must(template.New("login").Parse(loginHTML))

const maxLogin = 8 << 10 // bytes of a form

// loginView is what the login page shows.
type loginView struct {
	Base, Next   string
	Users, Token bool // who can log in: people, with their names; who has a token
	Wrong        string
	Name         string // as it was given
}

func (r *run) showLogin(w http.ResponseWriter, status int, v loginView) {
	v.Base = r.deps.Config.BasePath
	v.Users, v.Token = len(r.deps.Config.Users) > 0, r.deps.Config.Token != "" || len(r.deps.Config.Tokens) > 0
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = loginTemplate.Execute(w, v) // a client that disconnected needs no answer
}

// next is the page to go to after the login: one of our own, whatever is asked for.
func next(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(asked, "/") ||
		strings.HasPrefix(asked, "//") || strings.ContainsAny(asked, "\\\r\n\t") || !isPage(u.EscapedPath()) {
		return "/"
	}
	return u.RequestURI()
}

// goOn leads a browser to a page of ours.
func (r *run) goOn(w http.ResponseWriter, to string) {
	w.Header().Set("Location", r.deps.Config.BasePath+to)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

func (r *run) getLogin(w http.ResponseWriter, req *http.Request) {
	to := next(req.URL.Query().Get("next"))
	if person(req).Role != access.Anyone && !access.SendsToken(req) {
		r.goOn(w, to)
		return
	}
	r.showLogin(w, http.StatusOK, loginView{Next: to})
}

// postLogin takes the form of the login page. How often is tried is bounded
// before anything is compared, and so is how much is compared at a time.
func (r *run) postLogin(w http.ResponseWriter, req *http.Request) {
	req.Body = http.MaxBytesReader(w, req.Body, maxLogin)
	if err := req.ParseForm(); err != nil {
		r.showLogin(w, http.StatusBadRequest, loginView{Next: "/", Wrong: "The form could not be read. Try again."})
		return
	}
	view := loginView{Next: next(req.PostForm.Get("next")), Name: short(req.PostForm.Get("username"))}
	password, token := req.PostForm.Get("password"), strings.TrimSpace(req.PostForm.Get("token"))
	from := r.guard.Address(req)
	switch {
	case len(password) > access.MaxPassword:
		view.Wrong = "The password is too long: passwords here have at most 72 bytes."
		r.showLogin(w, http.StatusBadRequest, view)
		return
	case !r.attempt(req):
		w.Header().Set("Retry-After", "2")
		view.Wrong = "Too many attempts. Wait a few seconds, then try again."
		r.showLogin(w, http.StatusTooManyRequests, view)
		return
	}
	select {
	case r.limits.hashing <- struct{}{}:
		defer func() { <-r.limits.hashing }()
	case <-req.Context().Done():
		return
	}
	login := func() (string, time.Time, bool) { return r.guard.Login(req.PostForm.Get("username"), password, now()) }
	wrong := "The name or the password is not right."
	if token != "" {
		login = func() (string, time.Time, bool) { return r.guard.LoginToken(token, now()) }
		wrong = "This token is not valid."
	}
	session, end, is := login()
	if !is {
		r.log.Warn("login refused", "name", access.Name(view.Name), "remote", from)
		view.Wrong = wrong
		r.showLogin(w, http.StatusUnauthorized, view)
		return
	}
	r.log.Info("logged in", "name", access.Name(view.Name), "remote", from)
	http.SetCookie(w, r.guard.Cookie(req, session, end))
	r.goOn(w, view.Next)
}

// postLogout removes the cookie of this browser.
func (r *run) postLogout(w http.ResponseWriter, req *http.Request) {
	http.SetCookie(w, r.guard.Cookie(req, "", now()))
	r.goOn(w, "/login")
}
