"""What a measurement raises when it could not be made. The others go on without it."""


class Failed(Exception):
    pass
