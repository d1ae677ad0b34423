from rooms.replicas import index_of, new_name, number_of, replica_of, worker_number


def test_a_worker_is_known_by_one_number():
    replica = number_of("anna")
    number = worker_number(replica, 5)
    assert (replica_of(number), index_of(number)) == (replica, 5)
    assert number < 2**53  # exact in every language that may read it


def test_replicas_differ_and_one_alone_needs_no_name():
    assert number_of("") == 0
    names = [new_name() for _ in range(100)]
    assert len({number_of(name) for name in names}) == 100
    assert number_of("anna") == number_of("anna") != 0
