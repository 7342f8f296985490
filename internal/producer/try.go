package producer

import "errors"

// ErrWouldBlock is why TryPut refuses a record that Put would let wait for room.
var ErrWouldBlock = errors.New("the producer has no room now")

// TryPut is Put where nothing may wait: the error may be ErrWouldBlock, too, and such a
// record is not counted as refused. It is gone as after Put.
func (p *Producer) TryPut(r *Record) error { return p.Put(p.noWait, r) }
