package healer

import (
	"fmt"
	"reflect"

	"logstream/healer/action"
	"logstream/internal/event"
)

// intent is the action's intent, with the target pinned as it was inspected.
func intent(v View, chosen string) event.ActionStarted {
	c := v.Target.State
	a, _ := action.ByName(chosen)
	params, undo, _ := a.Prepare(v.Target)
	return event.ActionStarted{Attempt: v.Incident.Attempts + 1, Action: chosen, Target: v.Def.Name, Command: a.CommandLine(v.CLI, v.Target, params),
		Pins: pinned(v), Expires: v.Now.Add(a.Timeout(c.StopTimeout)).UTC(), Verify: verifyNeeded(v.Config, v.Def),
		Params: orNone(params), Undo: undo, UndoCommand: undoCommand(v, a, undo)}
}

// orNone are an action's parameters; nil where it has none.
func orNone(p event.Params) *event.Params {
	if reflect.ValueOf(p).IsZero() {
		return nil
	}
	return &p
}

// unknownEffect is why a person is called about an action that nothing shows.
func unknownEffect(data event.ActionFinished) string {
	return fmt.Sprintf("Attempt %d (%s) was interrupted, and nothing shows whether it took effect: check what it did before it is repeated.", data.Attempt, data.Action)
}
