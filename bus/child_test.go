package bus

func child(dir string) int { return 0 }
