"""How gdb shows an Array, a Variable, a Parameter, a Tape and Gradients of deltarule.

Once in a session, or in ~/.gdbinit:    source PREFIX/share/deltarule/gdb/deltarule.py

    (gdb) print w          (3, 2) [0.1, 0.4, -0.3, 0.2, 0.6, -0.5]
    (gdb) print y          %2 = tanh(%1) "y" (3,) [0.537, 0.197, -0.291]
"""
import gdb

MOST_NUMBERS = 6


def text(value):
    """A std::string or a std::string_view."""
    fields = {field.name for field in value.type.strip_typedefs().fields()}
    if "_M_str" in fields:
        pointer, length = value["_M_str"], int(value["_M_len"])
    elif "_M_dataplus" in fields:
        pointer, length = value["_M_dataplus"]["_M_p"], int(value["_M_string_length"])
    else:  # another standard library: what gdb knows of it
        return value.format_string().strip('"')
    return pointer.string("utf-8", "replace", length) if length else ""


def held(value, code):
    """What a std::atomic or a std::unique_ptr holds: the first of this kind among its members and those of its bases."""
    kind = value.type.strip_typedefs()
    if kind.code == code:
        return value
    if kind.code == gdb.TYPE_CODE_STRUCT:
        for field in kind.fields():
            found = held(value[field], code) if hasattr(field, "bitpos") else None  # static members have none
            if found is not None:
                return found
    return None


def tuple_of(lengths):
    return "(" + ", ".join(map(str, lengths)) + (",)" if len(lengths) == 1 else ")")


def shape_of(array):
    shape = array["m_shape"]
    begin, end = shape["m_begin"], shape["m_end"]
    return [int(begin[i]) for i in range(int(end - begin))]


def shown(array):
    """The shape, and the first numbers in the order of memory."""
    shape = shape_of(array)
    storage = array["m_storage"]
    begin, end = storage["p_begin"], storage["p_end"]
    size = int(end - begin) if int(begin) else 0
    is_float = begin.type.strip_typedefs().target().strip_typedefs().code == gdb.TYPE_CODE_FLT
    numbers = [f"{float(begin[i]):g}" if is_float else str(int(begin[i])) for i in range(min(size, MOST_NUMBERS))]
    if size > MOST_NUMBERS:
        numbers.append("...")
    return f"{tuple_of(shape)} [{', '.join(numbers)}]"


def described(index, node):
    """A node as `to_string(tape)` prints it, and its first numbers."""
    inputs = node["inputs"]
    first, extent = inputs["_M_ptr"], inputs["_M_extent"]
    count = int(extent["_M_extent_value"])
    line = f"%{index} = {node['operation'].string()}"
    if count:
        line += "(" + ", ".join(f"%{int(first[i])}" for i in range(count)) + ")"
    name = text(node["name"])
    if name:
        line += f' "{name}"'
    return f"{line} {shown(node['value'].dereference())}"


class Array:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return shown(self.value)


class Variable:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        recording, index, number = self.value["recording_"], int(self.value["index_"]), int(self.value["number_"])
        if number == 0:
            return "never recorded"
        if number != int(held(recording["number"], gdb.TYPE_CODE_INT)):
            return f"%{index} of an earlier recording"
        return described(index, recording["nodes"][index].dereference())


class Parameter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        state = self.value["state_"]["_M_ptr"]
        return f"parameter \"{text(self.value['name_'])}\" {shown(state['value'])}"


class Tape:
    def __init__(self, value):
        self.reel = value["reel_"]

    def to_string(self):
        size = int(self.reel["size_"])
        return f"tape of {size} node{'' if size == 1 else 's'}"

    def children(self):
        nodes = self.reel["nodes_"]["_M_impl"]["_M_start"]
        for index in range(int(self.reel["size_"])):
            yield str(index), described(index, nodes[index].dereference())

    def display_hint(self):
        return "array"


class Gradients:
    """The gradients and the adjoints that were kept, each behind its node's number."""

    def __init__(self, value):
        self.table = held(value["table_"], gdb.TYPE_CODE_PTR)

    def adjoints(self):
        if not int(self.table):
            return
        places = self.table.dereference()["adjoints"]["_M_impl"]
        for index in range(int(places["_M_finish"] - places["_M_start"])):
            if int(places["_M_start"][index]):
                yield index, places["_M_start"][index].dereference()

    def to_string(self):
        return "gradients"

    def children(self):
        for index, adjoint in self.adjoints():
            yield str(index), f"%{index} {shown(adjoint)}"

    def display_hint(self):
        return "array"


PRINTERS = {"autograd::Variable<": Variable, "autograd::Parameter<": Parameter, "autograd::Tape<": Tape,
            "autograd::Gradients<": Gradients, "xt::xarray_container<xt::uvector<": Array}


def printer_of(value):
    name = value.type.unqualified().strip_typedefs().tag or ""
    for beginning, printer in PRINTERS.items():
        # A class nested in one of them has a name that goes on behind the bracket.
        if name.startswith(beginning) and name.endswith(">"):
            return printer(value)
    return None


printer_of.name = "deltarule"
if not any(getattr(printer, "name", "") == "deltarule" for printer in gdb.pretty_printers):
    gdb.pretty_printers.insert(0, printer_of)
