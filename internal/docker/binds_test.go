package docker

import (
	"reflect"
	"testing"

	"github.com/docker/docker/api/types/mount"
)

// TestADirectoryThatIsGoneIsNotMadeAnew: where we do not see the engine's files, the
// engine itself has to refuse, which it does for mounts alone.
func TestADirectoryThatIsGoneIsNotMadeAnew(t *testing.T) {
	shared := &mount.BindOptions{Propagation: mount.PropagationRShared}
	for bind, want := range map[string]mount.Mount{
		"/srv/db:/data":                   {Source: "/srv/db", Target: "/data"},
		"/srv/db:/data:rw":                {Source: "/srv/db", Target: "/data"},
		"/srv/db:/data:ro":                {Source: "/srv/db", Target: "/data", ReadOnly: true},
		"/srv/db:/data:ro,rshared":        {Source: "/srv/db", Target: "/data", ReadOnly: true, BindOptions: shared},
		"/srv/db:/data:cached":            {Source: "/srv/db", Target: "/data", Consistency: mount.ConsistencyCached},
		"/srv/db:/data:z":                 {},
		"/srv/db:/data:ro,Z":              {},
		"/srv/db:/data:rw,rprivate,rbind": {}, // as Podman shows it
		"named:/data":                     {},
		"named:/data:nocopy":              {},
		"/data":                           {},
	} {
		got, is := bindAsMount(bind)
		if is != (want.Target != "") {
			t.Errorf("%s is a mount: %v", bind, is)
		}
		if is {
			want.Type = mount.TypeBind
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, want %+v", bind, got, want)
		}
	}
}

// TestDirectoriesAsMountsAreTheSameSpecification, however often it is made anew.
func TestDirectoriesAsMountsAreTheSameSpecification(t *testing.T) {
	c := inspected(t, "inspect-running")
	c.HostConfig.Binds = []string{"/b:/b:rw", "named:/named", "/a:/a:ro,rslave", "/z:/z:z"}
	c.HostConfig.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: "/m", Target: "/m"}}
	want, err := specHash(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		made := plan(specification{Name: "payment-service", ID: c.ID, ImageID: c.Image, Config: c.Config, Host: c.HostConfig, Networks: c.NetworkSettings.Networks}, c.Config.Image, "", nil)
		if !reflect.DeepEqual(made.host.Binds, []string{"named:/named", "/z:/z:z"}) || len(made.host.Mounts) != 3 {
			t.Fatalf("made with the binds %q and the mounts %+v", made.host.Binds, made.host.Mounts)
		}
		c.Config, c.HostConfig = made.config, made.host
		if got, err := specHash(c); err != nil || got != want {
			t.Errorf("its hash is %s and %v, want %s", got, err, want)
		}
	}
	c.HostConfig.Mounts = c.HostConfig.Mounts[:2] // an image has the label, and a container of it another mount
	if got, err := specHash(c); err != nil || got == want {
		t.Errorf("a mount less, and the hash is %s, %v", got, err)
	}
}
