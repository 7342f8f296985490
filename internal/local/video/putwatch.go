package video

import "time"

// watch looks after the session from aside: the end of the endpoint, of the stream, of the time it may take, and silence. stop
// ends it and waits for that.
func (p *putSession) watch() (stop func()) {
	done, finished := make(chan struct{}), make(chan struct{})
	times := p.s.set.Times
	go func() {
		defer close(finished)
		limit := time.NewTimer(times.MaxConnection)
		defer limit.Stop()
		quiet := time.NewTimer(times.IdleEvery)
		defer quiet.Stop()
		for {
			select {
			case <-done:
				return
			case <-p.c.Stopped():
				p.body.interrupt(wasStopped)
				return
			case <-p.w.Ended():
				p.body.interrupt(wasDeleted)
				return
			case <-limit.C:
				p.body.interrupt(tookTooLong)
				return
			case <-quiet.C:
				if !p.idle(times, quiet) {
					return
				}
			}
		}
	}()
	return func() {
		close(done)
		<-finished
	}
}

// idle tells the client that the session lives although nothing comes, or ends it; false in that case.
func (p *putSession) idle(times Times, again *time.Timer) bool {
	silent := time.Since(time.Unix(0, p.body.last.Load()))
	switch {
	case silent >= times.IdleTimeout:
		p.body.interrupt(wasIdle)
		return false
	case silent >= times.IdleEvery:
		p.acks.send(Ack{Type: AckIdle})
		again.Reset(min(times.IdleEvery, times.IdleTimeout-silent))
	default:
		again.Reset(min(times.IdleEvery, times.IdleTimeout) - silent)
	}
	return true
}
