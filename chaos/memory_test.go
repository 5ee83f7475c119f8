package chaos

import (
	"reflect"
	"testing"
	"testing/synctest"

	"logstream/internal/container"
	"logstream/internal/event"
	"logstream/internal/service"
)

// TestAnUndoKnowsWhatWasBefore: also by another process, which reads it from the
// log, and after the same fault was injected twice.
func TestAnUndoKnowsWhatWasBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		networks := []container.Network{{Name: "shop", Aliases: []string{"pay"}, IPv4: "10.1.2.3"}}
		log, runtime := newMemoryLog(), newGated()
		_, stop := begin(t, log, runtime)
		for i, before := range []container.Before{{ID: "payment-1", Networks: networks}, {ID: "payment-1"}} {
			runtime.before = before
			log.publish(t, event.Command{ID: string(rune('a' + i)), Service: "payment", Args: args("stop")})
			synctest.Wait()
			runtime.letGo <- nil
			synctest.Wait()
		}
		_ = stop()
		_, _ = begin(t, log, runtime)
		for _, id := range []string{"undo", "again"} {
			log.publish(t, event.Command{ID: id, Service: "payment", Args: event.CommandArgs{Fault: "stop", Undo: true}})
			synctest.Wait()
			if all := log.results(t, id); len(all) != 1 || !all[0].OK {
				t.Fatalf("the results of %s are %+v", id, all)
			}
		}
		want := []container.Before{{ID: "payment-1", Networks: networks}, {}}
		if !reflect.DeepEqual(runtime.undone, want) {
			t.Errorf("the undoes were given %+v, want %+v", runtime.undone, want)
		}
	})
}

// TestARemovalIsUndoneByItsName: the container is no longer there, and no secret
// is on the log.
func TestARemovalIsUndoneByItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		c, _ := begin(t, log, runtime)
		c.Apply(append([]service.Definition{{Name: "gone", Container: "gone-1", Chaos: true}}, allowed...))
		c.memory.injected(event.Command{Service: "gone", Args: args("stop")}, container.Before{ID: "old", Name: "gone-1", Spec: []byte("a secret")})
		log.publish(t, event.Command{ID: "undo", Service: "gone", Args: event.CommandArgs{Fault: "stop", Undo: true}})
		synctest.Wait()
		if all := log.results(t, "undo"); len(all) != 1 || !all[0].OK || all[0].Before != "" {
			t.Errorf("the results are %+v", all)
		}
		if len(runtime.undone) != 1 || string(runtime.undone[0].Spec) != "a secret" {
			t.Errorf("the undo was given %+v", runtime.undone)
		}
	})
}

// TestAnotherHostsFaultIsNotOurs: its service may have the same name.
func TestAnotherHostsFaultIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, runtime := newMemoryLog(), newGated()
		_, _ = begin(t, log, runtime)
		ours := container.Before{ID: "payment-1", Networks: []container.Network{{Name: "shop"}}}
		runtime.before = ours
		log.publish(t, event.Command{ID: "a", Service: "payment", Args: args("stop")})
		synctest.Wait()
		runtime.letGo <- nil
		synctest.Wait()
		log.publish(t, event.Command{ID: "b", Service: "payment", Args: args("stop"), Origin: event.Origin{Instance: "there", Host: "other"},
			Result: &event.CommandResult{OK: true, Before: `{"id":"payment-9","networks":[{"name":"theirs"}]}`}})
		log.publish(t, event.Command{ID: "undo", Service: "payment", Args: event.CommandArgs{Fault: "stop", Undo: true}})
		synctest.Wait()
		if !reflect.DeepEqual(runtime.undone, []container.Before{ours}) {
			t.Errorf("the undo was given %+v, want %+v", runtime.undone, ours)
		}
	})
}
