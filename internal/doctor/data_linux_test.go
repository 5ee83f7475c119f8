package doctor

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestAnotherUsersDirectoryIsNotWritable(t *testing.T) {
	if os.Getuid() == 0 { // who may write everywhere: as another user, then
		again := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		again.Dir, again.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := again.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Errorf("as another user: %v\n%s", err, out)
		}
		return
	}
	s, _ := healthy(t)
	s.Settings.Data = "/"
	expect(t, examined(t, s), "data", Fail, "not writable", "sudo chown -R")
	s.Settings.Data = "/logstream"
	expect(t, examined(t, s), "data", Fail, "cannot be created", "sudo install -d")
}
